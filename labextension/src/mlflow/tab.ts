/**
 * MLflow's own pages in a tab, behind Jupyter's login.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { IFrame } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelLayout, Widget } from '@lumino/widgets';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Client } from '../api/client';
import { sentence } from '../api/errors';
import { mlwsIcon } from '../icons';
import { prefer } from './preferences';

/** Path of MLflow's pages, under the server's base URL. */
const PAGES = 'mlws/mlflow';
const OVERVIEW = '#/experiments';

/** The page of a run, as the part of its address that MLflow reads. */
export function pageOfRun(runId: string): string {
  return `#/runs/${encodeURIComponent(runId)}`;
}

/** Shows MLflow's pages, or why there are none. */
export class MlflowView extends Widget {
  constructor(
    private readonly client: Client,
    private readonly isDark: () => boolean | null
  ) {
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
    this._frame.node
      .querySelector('iframe')
      ?.addEventListener('load', event => {
        // An empty frame loads, too.
        if (this._frame.url !== '') {
          this._note.hide();
          this._frame.show();
          this.follow((event.target as HTMLIFrameElement).contentWindow);
        }
      });
  }

  /** The page that is shown, as the part of its address after the path. */
  get page(): string {
    return this._page;
  }

  /** `page` is another. */
  get pageChanged(): ISignal<this, void> {
    return this._pageChanged;
  }

  /** Go to a page. The server starts MLflow where it does not run. */
  async go(page: string | null): Promise<void> {
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
    prefer(localStorage, this.isDark());
    this.turn(page ?? OVERVIEW);
    if (this._frame.url === '') {
      this.say('MLflow is loading…');
    }
    this._frame.url =
      URLExt.join(this.client.settings.baseUrl, PAGES, '/') + this._page;
  }

  /** Note where the user goes within MLflow's pages. */
  private follow(frame: Window | null): void {
    const look = () => this.turn(frame?.location.hash ?? '');
    frame?.addEventListener('hashchange', look);
    // A click's own listeners come first, and may go to a page without an event.
    frame?.addEventListener('click', () => setTimeout(look));
  }

  private turn(page: string): void {
    if (page.startsWith('#/') && page !== this._page) {
      this._page = page;
      this._pageChanged.emit();
    }
  }

  private say(text: string): void {
    this._note.node.textContent = text;
    this._note.show();
    this._frame.hide();
  }

  private readonly _note = new Widget();
  private readonly _frame: IFrame;
  private readonly _pageChanged = new Signal<this, void>(this);
  private _page = '';
}

/** The tab of MLflow; there is one. */
export function mlflowTab(
  client: Client,
  isDark: () => boolean | null
): MainAreaWidget<MlflowView> {
  const tab = new MainAreaWidget({ content: new MlflowView(client, isDark) });
  tab.id = 'mlws-mlflow';
  tab.title.label = 'MLflow';
  tab.title.icon = mlwsIcon;
  tab.title.closable = true;
  return tab;
}
