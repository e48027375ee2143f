/**
 * Whether the server answers, and what it says changed.
 */

import {
  type Event,
  EventManager,
  type ServerConnection
} from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { Client } from './client';
import { ApiError } from './errors';
import type { Change, NotebookRequest, ServerStatus } from './types';

const CHANGE = 'https://events.jupyter-mlws.org/change/v1';
const NOTEBOOK_REQUEST = 'https://events.jupyter-mlws.org/notebook-request/v1';
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** Whether a failed request got an answer that will not change by waiting. */
function answered(error: unknown): boolean {
  return error instanceof ApiError && error.status !== 503;
}

/**
 * Listens on Jupyter's event stream, and knows when something can have been missed.
 *
 * The stream has no replay. The application's own event manager does not tell when its socket broke and came
 * back, so one of our own is used, whose sockets report it. After each time that the server was out of reach,
 * `restored` tells everyone to fetch again what they show.
 */
export class Connection implements IDisposable {
  constructor(settings: ServerConnection.ISettings) {
    this.client = new Client(settings, () => this.lost());
    this._events = new EventManager({
      serverSettings: { ...settings, WebSocket: this.watched(settings) },
      standby: 'never'
    });
    this._events.stream.connect(this.onEvent, this);
    void this.probe();
  }

  readonly client: Client;

  /** Something changed on the server. */
  get change(): ISignal<this, Change> {
    return this._change;
  }

  get notebookRequest(): ISignal<this, NotebookRequest> {
    return this._notebookRequest;
  }

  /** What is shown may be out of date: fetch it again. */
  get restored(): ISignal<this, void> {
    return this._restored;
  }

  /** `online`, `server` or `problem` changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** False from the first request that got no answer until the server answers again. */
  get online(): boolean {
    return this._online;
  }

  /** What is behind the address; null before the first answer. */
  get server(): ServerStatus | null {
    return this._server;
  }

  /** Why the server does not tell what it is, though it answers. */
  get problem(): unknown {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._timer);
      this._events.dispose();
      Signal.clearData(this);
    }
  }

  /** Ask the server what it is, now. */
  async refresh(): Promise<void> {
    try {
      this._server = await this.client.status();
      this._problem = null;
      this.found();
    } catch (error) {
      this._problem = error;
      if (answered(error)) {
        this.found();
      } else {
        this.lost();
      }
    }
    this._stateChanged.emit();
  }

  private lost(): void {
    if (this._online && !this._isDisposed) {
      this._online = false;
      this._stateChanged.emit();
      this.probeLater();
    }
  }

  private found(): void {
    this._wait = FIRST_WAIT;
    if (!this._online) {
      this._online = true;
      this._restored.emit();
    }
  }

  private async probe(): Promise<void> {
    await this.refresh();
    if (!this._online) {
      this.probeLater();
    }
  }

  private probeLater(): void {
    clearTimeout(this._timer);
    if (!this._isDisposed) {
      this._timer = setTimeout(() => void this.probe(), this._wait);
      this._wait = Math.min(LONGEST_WAIT, 2 * this._wait);
    }
  }

  private onEvent(_: Event.IManager, emission: Event.Emission): void {
    if (emission.schema_id === CHANGE) {
      this._change.emit(emission as unknown as Change);
    } else if (emission.schema_id === NOTEBOOK_REQUEST) {
      this._notebookRequest.emit(emission as unknown as NotebookRequest);
    }
  }

  /** The class of WebSockets that tell this object when they open and close. */
  private watched(settings: ServerConnection.ISettings): typeof WebSocket {
    const opened = () => {
      // What changed between the fetches of a starting page and the socket's opening was not heard.
      this._restored.emit();
      if (!this._online) {
        void this.probe();
      }
    };
    const closed = () => this.lost();
    return class extends settings.WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('open', opened);
        this.addEventListener('close', closed);
      }
    };
  }

  private readonly _events: EventManager;
  private readonly _change = new Signal<this, Change>(this);
  private readonly _notebookRequest = new Signal<this, NotebookRequest>(this);
  private readonly _restored = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private _online = true;
  private _server: ServerStatus | null = null;
  private _problem: unknown = null;
  private _wait = FIRST_WAIT;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
