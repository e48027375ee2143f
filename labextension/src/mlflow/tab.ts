/**
 * MLflow's own pages in a tab, behind Jupyter's login.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { IFrame } from '@jupyterlab/ui-components';
import { PanelLayout, Widget } from '@lumino/widgets';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Client } from '../api/client';
import { sentence } from '../api/errors';
import { mlwsIcon } from '../icons';

/** Path of MLflow's pages, under the server's base URL. */
const PAGES = 'mlws/mlflow';

/** Shows MLflow's pages, or why there are none. */
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

  /** Go to the page of a run, or to the overview. The server starts MLflow where it does not run. */
  async go(runId: string | null): Promise<void> {
    try {
      const { status, error } = await this.client.tracking();
      if (status === 'stopped' && error) {
        this.say(error);
        return;
      }
    } catch (error) {
      this.say(sentence(error).message);
      return;
    }
    const page =
      runId === null ? '#/experiments' : `#/runs/${encodeURIComponent(runId)}`;
    if (this._frame.url === '') {
      this.say('MLflow is loading…');
    }
    this._frame.url =
      URLExt.join(this.client.settings.baseUrl, PAGES, '/') + page;
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
