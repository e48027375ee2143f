/**
 * Reads one job's event log piece by piece, as a view needs it.
 */

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Client, EventsQuery } from '../api/client';
import type { EventPage } from '../api/types';
import { JobLog, type Limits } from './log';

/** Bytes that a view of the end begins with. */
const TAIL = 65_536;
/** The same, where the last `TAIL` bytes held no output: a picture is one long line. */
const LONG_TAIL = 1_048_576;
/** A view of the end that is further behind than this goes to the end at once. */
const BEHIND = 1_048_576;
/** Bytes that a view of the whole reads before it asks the user. */
const PORTION = 1_000_000;
/** Milliseconds between two fetches while output comes. */
const PAUSE = 100;

const LIMITS: Limits = { stream: 131_072, outputs: 100, weight: 8_388_608 };

/** Follows the log of a job's attempt, its end alone or the whole of it. */
export class LogReader implements IDisposable {
  /** `whole`: begin at the beginning and keep everything; else follow the end. */
  constructor(
    private readonly client: Client,
    readonly id: string,
    private whole: boolean
  ) {}

  /** What was read is in `log`. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What was read; another object after a jump. */
  get log(): JobLog {
    return this._log;
  }

  /** The attempt that is read; 0 before the first. */
  get attempt(): number {
    return this._attempt;
  }

  /** Bytes of the log before what `log` holds. */
  get above(): number {
    return this._begin + this._log.dropped;
  }

  /** Bytes of the log after what `log` holds, where the reader stopped for the user to go on. */
  get below(): number {
    return this.paused ? this._size - this._next : 0;
  }

  /** Whether the first piece has come. */
  get ready(): boolean {
    return this._ready;
  }

  /** Why the last piece did not come. */
  get problem(): unknown {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Read what is new in `attempt`; `offset` is the log's length as far as the caller knows. */
  follow(attempt: number, offset: number | null = null): void {
    if (attempt < 1) {
      return;
    }
    if (attempt !== this._attempt) {
      this._attempt = attempt;
      this.restart();
    } else if (this.paused) {
      // The user says when to go on.
      this._size = Math.max(this._size, offset ?? 0);
    } else if (offset === null || offset > this._next) {
      void this.read();
    }
  }

  /** Read the next portion of a long log. */
  more(): void {
    this._budget += PORTION;
    void this.read();
  }

  /** Show the end, and follow it. */
  toEnd(): void {
    this.whole = false;
    this.restart();
  }

  /** Show the log from its beginning. */
  toStart(): void {
    this.whole = true;
    this._budget = PORTION;
    this.restart();
  }

  private get paused(): boolean {
    return this.whole && this._next >= this._budget && this._size > this._next;
  }

  private restart(): void {
    this._generation += 1;
    this._next = 0;
    this._size = 0;
    this._tail = TAIL;
    this._fresh = true;
    void this.read();
  }

  private async read(): Promise<void> {
    this._wanted = true;
    if (this._reading) {
      return;
    }
    this._reading = true;
    try {
      while (this._wanted && !this._isDisposed) {
        this._wanted = false;
        await this.readOnce();
        await new Promise(resolve => setTimeout(resolve, PAUSE));
      }
    } finally {
      this._reading = false;
    }
  }

  private async readOnce(): Promise<void> {
    const generation = this._generation;
    try {
      const page = await this.client.events(this.id, this.query());
      if (generation === this._generation) {
        this.take(page);
        this._problem = null;
      }
    } catch (error) {
      this._problem = error;
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private query(): EventsQuery {
    const attempt = this._attempt;
    return this._fresh && !this.whole
      ? { attempt, tail: this._tail }
      : { attempt, offset: this._next };
  }

  private take(page: EventPage): void {
    if (this._fresh) {
      this._log = new JobLog();
      this._begin = page.offset;
      this._fresh = false;
    }
    page.events.forEach(event => this._log.add(event));
    this._next = page.next;
    this._size = page.size;
    this._ready = true;
    if (!this.whole) {
      this._log.trim(LIMITS);
      this.lookFurther(page);
    }
    if (page.next < page.size && page.events.length > 0 && !this.paused) {
      this._wanted = true;
    }
  }

  /** Begin again where the end of the log is too far off, or held nothing to see. */
  private lookFurther(page: EventPage): void {
    const bare = !this._log.hasOutput && this._begin > 0;
    if (bare && this._tail === TAIL) {
      this._tail = LONG_TAIL;
      this._fresh = true;
      this._wanted = true;
    } else if (page.size - page.next > BEHIND) {
      this._tail = TAIL;
      this._fresh = true;
      this._wanted = true;
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _log = new JobLog();
  private _attempt = 0;
  private _begin = 0;
  private _next = 0;
  private _size = 0;
  private _tail = TAIL;
  private _budget = PORTION;
  private _fresh = true;
  private _ready = false;
  private _wanted = false;
  private _reading = false;
  private _generation = 0;
  private _problem: unknown = null;
  private _isDisposed = false;
}
