/**
 * The jobs of the workspace, newest first: pages as they are scrolled to, rows that change in place.
 */

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { JobFilter } from '../api/client';
import type { Job } from '../api/types';
import type { JobEntry, JobStore } from './store';

const PAGE = 50;
const LARGEST_PAGE = 500;

/** Whether the server would list `job` under `filter`. */
export function matches(job: Job, filter: JobFilter): boolean {
  const named = job.spec.name.toLowerCase().includes(filter.q.toLowerCase());
  const inState =
    filter.status.length === 0 || filter.status.includes(job.status);
  return named && inState;
}

/** Whether `a` stands above `b`. */
export function isNewer(a: Job, b: Job): boolean {
  const [at, bt] = [Date.parse(a.created_at), Date.parse(b.created_at)];
  return at === bt ? a.id > b.id : at > bt;
}

/** A filtered list that follows the server. */
export class JobList implements IDisposable {
  constructor(private readonly store: JobStore) {
    store.updated.connect(this.onUpdated, this);
    store.connection.restored.connect(this.onRestored, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What is shown, newest first. */
  get entries(): readonly JobEntry[] {
    return this._entries;
  }

  /** Jobs that came while the reader had scrolled: they wait for `release`. */
  get waiting(): number {
    return this._waiting.length;
  }

  get filter(): JobFilter {
    return this._filter;
  }

  /** Number of jobs that match, shown or not. */
  get total(): number {
    return this._total;
  }

  get hasMore(): boolean {
    return this._cursor !== null;
  }

  /** False until the first page for this filter has come. */
  get loaded(): boolean {
    return this._loaded;
  }

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

  /** Whether the reader has scrolled down; then new jobs do not push the rows. */
  set scrolled(value: boolean) {
    this._scrolled = value;
  }

  setFilter(filter: JobFilter): void {
    this._filter = filter;
    this._entries = [];
    this._waiting = [];
    this._loaded = false;
    this._changed.emit();
    void this.reload();
  }

  /** Have it drawn again: what its empty state offers has changed. */
  announce(): void {
    this._changed.emit();
  }

  /** Show the jobs that wait. */
  release(): void {
    const waiting = this._waiting;
    this._waiting = [];
    waiting.forEach(entry => this.insert(entry));
    this._changed.emit();
  }

  /** Fetch anew what is shown. */
  async reload(): Promise<void> {
    const generation = ++this._generation;
    const limit = Math.min(
      LARGEST_PAGE,
      Math.max(PAGE, this._entries.length + this._waiting.length)
    );
    await this.load(generation, limit, null);
  }

  /** Fetch the next page. */
  async more(): Promise<void> {
    if (this._cursor !== null && !this._loading) {
      await this.load(this._generation, PAGE, this._cursor);
    }
  }

  private async load(
    generation: number,
    limit: number,
    cursor: string | null
  ): Promise<void> {
    this._loading = true;
    try {
      const { client } = this.store.connection;
      const page = await client.jobs(this._filter, limit, cursor);
      if (generation !== this._generation) {
        return;
      }
      const entries = page.jobs
        .map(job => this.store.put(job))
        .filter(entry => !entry.gone);
      const known = new Set(cursor === null ? [] : this._entries);
      this._entries = [...known, ...entries.filter(entry => !known.has(entry))];
      this._waiting = cursor === null ? [] : this._waiting;
      this._cursor = page.next ?? null;
      this._total = page.total;
      this._loaded = true;
      this._problem = null;
    } catch (error) {
      if (generation === this._generation) {
        this._problem = error;
      }
    } finally {
      this._loading = false;
    }
    this._changed.emit();
  }

  private onRestored(): void {
    void this.reload();
  }

  private onUpdated(_: JobStore, entry: JobEntry): void {
    const { job } = entry;
    const shown = this._entries.includes(entry);
    if (entry.gone || (job && !matches(job, this._filter))) {
      if (shown || this._waiting.includes(entry)) {
        this._entries = this._entries.filter(other => other !== entry);
        this._waiting = this._waiting.filter(other => other !== entry);
        this._total -= 1;
        this._changed.emit();
      }
    } else if (job && !shown && this._loaded && this.isWithin(job)) {
      this.arrive(entry);
    }
  }

  /** Whether the job's place is among the pages that were loaded. */
  private isWithin(job: Job): boolean {
    const last = this._entries.at(-1)?.job;
    return this._cursor === null || !last || isNewer(job, last);
  }

  private arrive(entry: JobEntry): void {
    if (this._waiting.includes(entry)) {
      return;
    }
    this._total += 1;
    if (this._scrolled) {
      this._waiting.push(entry);
    } else {
      this.insert(entry);
    }
    this._changed.emit();
  }

  private insert(entry: JobEntry): void {
    const { job } = entry;
    if (!job || this._entries.includes(entry)) {
      return;
    }
    const older = this._entries.findIndex(
      other => other.job && isNewer(job, other.job)
    );
    const place = older === -1 ? this._entries.length : older;
    this._entries = [
      ...this._entries.slice(0, place),
      entry,
      ...this._entries.slice(place)
    ];
  }

  private readonly _changed = new Signal<this, void>(this);
  private _entries: JobEntry[] = [];
  private _waiting: JobEntry[] = [];
  private _filter: JobFilter = { status: [], q: '' };
  private _cursor: string | null = null;
  private _total = 0;
  private _loaded = false;
  private _loading = false;
  private _problem: unknown = null;
  private _scrolled = false;
  private _generation = 0;
  private _isDisposed = false;
}
