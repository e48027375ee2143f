/**
 * The card under a cell: how its job stands, live, drawn from the server by the job's id.
 */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import type { JSX } from 'react';
import { JOB_MIME_TYPE } from '../tokens';
import { CardFoot } from './cardfoot';
import { CardTop } from './cardtop';
import { Follower } from './follower';
import { type JobMime, parseJobMime } from './mime';
import { Outputs } from './outputs';
import type { LogReader } from './reader';
import { isTerminal } from './states';
import { SteadyHeight } from './steady';
import type { JobEntry } from './store';
import { isTrusted, type JobViewServices } from './view';

/** Renders `application/vnd.mlws.job+json`. */
export class JobCard extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly services: JobViewServices) {
    super();
    this.addClass('mlws-Card');
    this.node.setAttribute('role', 'group');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const mime = parseJobMime(model.data[JOB_MIME_TYPE]);
    if (mime?.id === this._mime?.id && mime !== null) {
      return;
    }
    this.clear();
    this._mime = mime;
    if (mime) {
      this.node.setAttribute('aria-label', `Job ${mime.name ?? mime.id}`);
      this.build(mime);
      if (this.isAttached) {
        this.start();
      }
    } else {
      this.node.textContent = 'This output names no job.';
    }
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.clear();
      super.dispose();
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.start();
  }

  protected override onBeforeDetach(message: Message): void {
    this.stop();
    super.onBeforeDetach(message);
  }

  private build(mime: JobMime): void {
    const { store, actions, rendermime } = this.services;
    const entry = store.entry(mime.id);
    const reader = store.reader(mime.id, false);
    const outputs = new Outputs({
      rendermime,
      allCells: false,
      fetchFile: file =>
        store.connection.client.output(mime.id, reader.attempt, file)
    });
    const follower = new Follower();
    follower.addWidget(outputs);
    follower.addClass('mlws-mod-empty');
    follower.node.setAttribute('aria-label', 'Output');
    const { connection } = store;
    this.addWidget(
      reactOf(
        <CardTop
          {...{ entry, reader, mime, actions, connection }}
          onToggle={hidden => follower.setHidden(hidden)}
        />
      )
    );
    this.addWidget(follower);
    this.addWidget(reactOf(<CardFoot {...{ entry, mime, actions }} />));
    this._height = new SteadyHeight(this.node, mime.id);
    this._entry = entry;
    this._reader = reader;
    this._outputs = outputs;
    this._follower = follower;
  }

  private start(): void {
    const { _entry: entry, _reader: reader } = this;
    if (!entry || !reader || this._watch) {
      return;
    }
    entry.changed.connect(this.onEntry, this);
    entry.logChanged.connect(this.onLogGrew, this);
    reader.changed.connect(this.onLog, this);
    this.services.store.connection.stateChanged.connect(this.onEntry, this);
    this._watch = this.services.store.watch(entry.id);
    this.onEntry();
    // What came while the card was out of the page was not drawn.
    this.onLog(reader);
  }

  private stop(): void {
    this._watch?.dispose();
    this._watch = null;
    this._entry?.changed.disconnect(this.onEntry, this);
    this._entry?.logChanged.disconnect(this.onLogGrew, this);
    this._reader?.changed.disconnect(this.onLog, this);
    this.services.store.connection.stateChanged.disconnect(this.onEntry, this);
  }

  private clear(): void {
    this.stop();
    this._reader?.dispose();
    this._height?.dispose();
    [...this.widgets].forEach(widget => widget.dispose());
    this.node.textContent = '';
    this._entry = this._reader = this._outputs = this._follower = null;
    this._height = null;
  }

  private onEntry(): void {
    const { _entry: entry, _reader: reader } = this;
    if (!entry || !reader || !this._outputs) {
      return;
    }
    this.dataset.status = entry.gone ? 'gone' : (entry.job?.status ?? '');
    this.toggleClass('mlws-mod-gone', entry.gone);
    if (entry.gone) {
      this.drop();
    } else if (entry.job) {
      this._outputs.trusted = isTrusted(entry.job, this.services.store);
      this._outputs.told = entry.job.error?.message ?? null;
      reader.follow(entry.job.attempt, entry.job.offset);
    }
    if (entry.gone || entry.problem !== null || entry.job?.attempt === 0) {
      this._height?.settle();
    }
  }

  /** The job is gone, and its output with it. */
  private drop(): void {
    this._reader?.dispose();
    this._follower?.dispose();
    this._reader = this._outputs = this._follower = null;
  }

  private onLogGrew(_: JobEntry, offset: number | null): void {
    this._reader?.follow(this._entry?.job?.attempt ?? 0, offset);
  }

  private onLog(reader: LogReader): void {
    const { _follower: follower, _entry: entry } = this;
    if (!follower) {
      return;
    }
    // Of an ended job that is shown whole, the beginning comes first.
    const ended = entry?.job ? isTerminal(entry.job.status) : false;
    follower.follow = !ended || reader.above > 0;
    follower.toggleClass('mlws-mod-empty', !reader.log.hasOutput);
    this._outputs?.render(reader.log);
    if (reader.ready || reader.problem !== null) {
      this._height?.settle();
    }
  }

  private _mime: JobMime | null = null;
  private _entry: JobEntry | null = null;
  private _reader: LogReader | null = null;
  private _outputs: Outputs | null = null;
  private _follower: Follower | null = null;
  private _height: SteadyHeight | null = null;
  private _watch: IDisposable | null = null;
}

function reactOf(element: JSX.Element): ReactWidget {
  const widget = ReactWidget.create(element);
  widget.addClass('mlws-React');
  return widget;
}

/** Makes cards for outputs of the MIME type. */
export function cardFactory(
  services: JobViewServices
): IRenderMime.IRendererFactory {
  return {
    // It shows data and runs none of it, so that it is drawn in notebooks that are not trusted, too.
    safe: true,
    mimeTypes: [JOB_MIME_TYPE],
    // Above HTML (50), which stands beside it for readers without this extension.
    defaultRank: 10,
    createRenderer: () => new JobCard(services)
  };
}
