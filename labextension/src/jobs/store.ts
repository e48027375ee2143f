/**
 * What the page knows of jobs: one subscription, one record a job, shared by all cards, lists and tabs.
 */

import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Connection } from '../api/connection';
import { ApiError } from '../api/errors';
import type { Change, Job, JobRequest } from '../api/types';
import { Elapsed } from './elapsed';
import { LogReader } from './reader';
import { isCanceling } from './states';

/** Milliseconds between two rounds of fetches. */
const PAUSE = 200;
/** More jobs than this in one round are fetched as a list, of so many. */
const MANY = 5;
const NEWEST = 200;

/** One job as the page knows it. */
export class JobEntry {
  constructor(readonly id: string) {}

  /** The record; null until it was fetched. */
  get job(): Job | null {
    return this._job;
  }

  /** The server does not know the job, or no more; it never will again. */
  get gone(): boolean {
    return this._gone;
  }

  /** Why the last fetch failed. */
  get problem(): unknown {
    return this._problem;
  }

  /** The user has asked for its end, which has not come. */
  get canceling(): boolean {
    return this._canceling || (this._job !== null && isCanceling(this._job));
  }

  /** Anything of the above changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Its event log has grown: to this many bytes, or to null, which stands for unknown. */
  get logChanged(): ISignal<this, number | null> {
    return this._logChanged;
  }

  /** Seconds that it has taken at `now` (ms since 1970). */
  seconds(now: number): number {
    return this._job === null ? 0 : this._elapsed.seconds(this._job, now);
  }

  /** For the store alone. */
  set(change: {
    job?: Job;
    gone?: boolean;
    problem?: unknown;
    canceling?: boolean;
  }): void {
    if (change.job) {
      this._job = change.job;
      this._elapsed.see(change.job, Date.now());
    }
    this._gone = change.gone ?? this._gone;
    this._canceling = change.canceling ?? this._canceling;
    this._problem = change.problem ?? null;
    this._changed.emit();
  }

  /** For the store alone. */
  logGrew(offset: number | null): void {
    this._logChanged.emit(offset);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _logChanged = new Signal<this, number | null>(this);
  private readonly _elapsed = new Elapsed();
  private _job: Job | null = null;
  private _gone = false;
  private _problem: unknown = null;
  private _canceling = false;
}

/** Keeps the entries right by the server's changes. */
export class JobStore implements IDisposable {
  constructor(readonly connection: Connection) {
    connection.change.connect(this.onChange, this);
    connection.restored.connect(this.onRestored, this);
  }

  /** A record was fetched, or found to be gone. */
  get updated(): ISignal<this, JobEntry> {
    return this._updated;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** The entry of a job; its record is fetched when someone watches it or asks for it. */
  entry(id: string): JobEntry {
    let entry = this._entries.get(id);
    if (!entry) {
      entry = new JobEntry(id);
      this._entries.set(id, entry);
    }
    return entry;
  }

  /** Keep the job's record up to date at each change, until the result is disposed. */
  watch(id: string): IDisposable {
    this._watched.set(id, (this._watched.get(id) ?? 0) + 1);
    this.refresh(id);
    return new DisposableDelegate(() => {
      const watchers = (this._watched.get(id) ?? 1) - 1;
      if (watchers === 0) {
        this._watched.delete(id);
      } else {
        this._watched.set(id, watchers);
      }
    });
  }

  /** A reader of the job's log. The caller disposes it. */
  reader(id: string, whole: boolean): LogReader {
    return new LogReader(this.connection.client, id, whole);
  }

  /** Take over records that came with a list. */
  put(job: Job): JobEntry {
    const entry = this.entry(job.id);
    entry.set({ job });
    return entry;
  }

  /** Fetch the record soon; many at once are fetched as a list. A job that is gone stays so. */
  refresh(id: string): void {
    if (this.entry(id).gone) {
      return;
    }
    this._due.add(id);
    if (!this._fetching) {
      this._fetching = true;
      void this.fetchDue().finally(() => (this._fetching = false));
    }
  }

  async submit(request: JobRequest): Promise<JobEntry> {
    return this.take(await this.connection.client.submit(request));
  }

  async rerun(id: string): Promise<JobEntry> {
    return this.take(await this.connection.client.rerun(id));
  }

  /** Shows as canceling at once; falls back when the server refuses. */
  async cancel(id: string): Promise<void> {
    const entry = this.entry(id);
    entry.set({ canceling: true });
    try {
      const job = await this.connection.client.cancel(id);
      entry.set({ job, canceling: false });
      this._updated.emit(entry);
    } catch (error) {
      entry.set({ canceling: false });
      throw error;
    }
  }

  async delete(id: string): Promise<void> {
    await this.connection.client.delete(id);
    this.lose(this.entry(id));
  }

  private lose(entry: JobEntry): void {
    if (!entry.gone) {
      entry.set({ gone: true });
      this._updated.emit(entry);
    }
  }

  private take(job: Job): JobEntry {
    const entry = this.put(job);
    this._updated.emit(entry);
    return entry;
  }

  private async fetch(id: string): Promise<void> {
    const entry = this.entry(id);
    try {
      entry.set({ job: await this.connection.client.job(id) });
    } catch (error) {
      const gone =
        error instanceof ApiError &&
        error.status === 404 &&
        error.info.code !== 'extension_missing';
      entry.set(gone ? { gone } : { problem: error });
    }
    this._updated.emit(entry);
  }

  private async fetchDue(): Promise<void> {
    while (this._due.size > 0 && !this._isDisposed) {
      let ids = [...this._due].filter(id => !this.entry(id).gone);
      this._due.clear();
      if (ids.length > MANY) {
        const seen = await this.fetchNewest();
        ids = ids.filter(id => !seen.has(id));
      }
      await Promise.all(ids.map(id => this.fetch(id)));
      await new Promise(resolve => setTimeout(resolve, PAUSE));
    }
  }

  private async fetchNewest(): Promise<Set<string>> {
    try {
      const all = { status: [], q: '' };
      const page = await this.connection.client.jobs(all, NEWEST, null);
      page.jobs.forEach(job => this.take(job));
      return new Set(page.jobs.map(job => job.id));
    } catch {
      // Each of them is tried alone, and tells what is wrong.
      return new Set();
    }
  }

  private onChange(_: Connection, change: Change): void {
    if (change.noun !== 'job') {
      return;
    }
    const entry = this._entries.get(change.id);
    if (change.status === null) {
      // It was deleted; there is nothing to ask for.
      if (entry) {
        this.lose(entry);
      }
      return;
    }
    const watched = this._watched.has(change.id);
    if (watched && entry) {
      entry.logGrew(change.offset ?? null);
    }
    // A list shows the state alone; who watches wants metrics and progress as well.
    if (watched || entry?.job?.status !== change.status) {
      this.refresh(change.id);
    }
  }

  private onRestored(): void {
    for (const id of this._watched.keys()) {
      const entry = this.entry(id);
      if (!entry.gone) {
        this.refresh(id);
        entry.logGrew(null);
      }
    }
  }

  private readonly _entries = new Map<string, JobEntry>();
  /** How many watch a job. */
  private readonly _watched = new Map<string, number>();
  private readonly _due = new Set<string>();
  private _fetching = false;
  private readonly _updated = new Signal<this, JobEntry>(this);
  private _isDisposed = false;
}
