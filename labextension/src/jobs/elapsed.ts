/**
 * How long a job has been going on, by the reader's clock. Pure.
 */

import type { Attempt, Job } from '../api/types';
import { isCounted } from './states';

/**
 * Turns the seconds that a record holds into a moment from which a clock can run on.
 *
 * A record's seconds are those up to the job's last change, so they lag. The earliest moment that any record of
 * the attempt gave is the truest. Clocks of the server and the reader need not agree.
 */
export class Elapsed {
  /** Take account of `job`, received at `now` (ms since 1970). */
  see(job: Job, now: number): void {
    if (!isCounted(job.status)) {
      this._origin = null;
      return;
    }
    const origin = now - 1000 * job.seconds;
    this._origin =
      this._origin === null || this._attempt !== job.attempt
        ? origin
        : Math.min(this._origin, origin);
    this._attempt = job.attempt;
  }

  /** Seconds that `job` has taken at `now`. */
  seconds(job: Job, now: number): number {
    return this._origin === null
      ? job.seconds
      : Math.max(job.seconds, (now - this._origin) / 1000);
  }

  private _origin: number | null = null;
  private _attempt = 0;
}

/** US dollars for `seconds` of `job`. */
export function costOf(job: Job, seconds: number): number {
  return (seconds / 3600) * job.price_per_hour;
}

/** Seconds that the code of an attempt ran, as its job counts them; null until it has ended. */
export function secondsOf({ started_at, ended_at }: Attempt): number | null {
  return started_at === null || ended_at === null
    ? null
    : (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
}
