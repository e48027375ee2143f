/**
 * MLflow's own pages in a tab, behind Jupyter's login.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { IFrame } from '@jupyterlab/ui-components';
import { PanelLayout, Widget } from '@lumino/widgets';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Client } from '../api/client';
import { sentence } from '../api/errors';
import type { TrackingState } from '../api/types';
import { mlwsIcon } from '../icons';

/** Milliseconds between two looks at a server that the user waits for. */
const PAUSE = 1000;

/** Waits until MLflow's server is ready, and shows its pages. */
export class MlflowView extends Widget {
  constructor(private readonly client: Client) {
    super();
    this.addClass('mlws-Mlflow');
    this._note.addClass('mlws-Mlflow-note');
    this._frame = new IFrame({
      sandbox: [
        'allow-scripts',
        'allow-same-origin',
        'allow-forms',
        'allow-popups',
        'allow-downloads',
        'allow-modals'
      ],
      referrerPolicy: 'same-origin'
    });
    const layout = new PanelLayout();
    layout.addWidget(this._note);
    layout.addWidget(this._frame);
    this.layout = layout;
    this._frame.hide();
    this._frame.node.querySelector('iframe')?.addEventListener('load', () => {
      // An empty frame loads, too.
      if (this._frame.url !== '') {
        this._note.hide();
        this._frame.show();
      }
    });
  }

  /** Go to the page of a run, or to the overview. */
  async go(runId: string | null): Promise<void> {
    const ui = await this.ready();
    if (ui !== null) {
      const page = runId === null ? '' : `#/runs/${encodeURIComponent(runId)}`;
      this.say('MLflow is loading…');
      this._frame.url =
        URLExt.join(this.client.settings.baseUrl, ui, '/') + page;
    }
  }

  /** Wait for the server. Returns the path of its pages, or null when there will be none. */
  private async ready(): Promise<string | null> {
    while (!this.isDisposed) {
      let state: TrackingState;
      try {
        state = await this.client.tracking();
      } catch (error) {
        return this.fail(sentence(error).message);
      }
      if (state.status === 'ready') {
        return state.ui ?? 'mlws/mlflow/';
      }
      if (state.status !== 'starting') {
        return this.fail(state.error ?? 'MLflow is turned off.');
      }
      this.say('MLflow is starting…');
      await new Promise(resolve => setTimeout(resolve, PAUSE));
    }
    return null;
  }

  private fail(text: string): null {
    this.say(text);
    return null;
  }

  private say(text: string): void {
    this._note.node.textContent = text;
    this._note.show();
    this._frame.hide();
  }

  private readonly _note = new Widget();
  private readonly _frame: IFrame;
}

/** The tab of MLflow; there is one. */
export function mlflowTab(client: Client): MainAreaWidget<MlflowView> {
  const tab = new MainAreaWidget({ content: new MlflowView(client) });
  tab.id = 'mlws-mlflow';
  tab.title.label = 'MLflow';
  tab.title.icon = mlwsIcon;
  tab.title.closable = true;
  return tab;
}
