/**
 * The first line of a job wherever it is shown: state, name, compute, time, cost, menu and stop.
 */

import { ellipsesIcon, stopIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import type { Job } from '../api/types';
import { ago, clock, duration, exact, money } from '../text/format';
import type { JobActions } from './actions';
import { IconButton } from './buttons';
import { costOf } from './elapsed';
import { useNow } from './react';
import { isCounted, isTerminal } from './states';
import { StatusMark } from './status';
import type { JobEntry } from './store';

const SECOND = 1000;
const MINUTE = 60_000;

export interface HeadProps {
  readonly entry: JobEntry;
  /** The name to show before the record has come. */
  readonly name: string | null;
  readonly actions: JobActions;
  /** Whether the name leads to the job's tab. */
  readonly linked: boolean;
  /** Whether the server answers. */
  readonly online: boolean;
}

export function Head(props: HeadProps): JSX.Element {
  const { entry, name, actions, linked, online } = props;
  const { job, canceling } = entry;
  const shown = job?.spec.name ?? name ?? entry.id;
  return (
    <div className="mlws-Head">
      <StatusMark status={job?.status ?? null} canceling={canceling} />
      {linked ? (
        <button
          type="button"
          className="mlws-Head-name mlws-mod-linked"
          title={`Open ${shown}`}
          onClick={() => actions.open(entry.id)}
        >
          {shown}
        </button>
      ) : (
        <span className="mlws-Head-name" title={shown}>
          {shown}
        </span>
      )}
      {!online && !(job && isTerminal(job.status)) && (
        <span className="mlws-Head-note" role="status">
          Reconnecting…
        </span>
      )}
      {job && <span className="mlws-Head-quiet">{job.spec.compute}</span>}
      {job && job.attempt > 1 && (
        <span className="mlws-Head-quiet">attempt {job.attempt}</span>
      )}
      <span className="mlws-Head-space" />
      {job && <Meter entry={entry} job={job} />}
      <IconButton
        icon={ellipsesIcon}
        label="More…"
        onClick={event => actions.menu(entry.id, event.currentTarget)}
      />
      {job && !isTerminal(job.status) && (
        <IconButton
          icon={stopIcon}
          label={canceling ? 'Canceling…' : 'Cancel'}
          className="mlws-stop"
          disabled={canceling}
          onClick={() => actions.cancel(entry.id)}
        />
      )}
    </div>
  );
}

function Meter({ entry, job }: { entry: JobEntry; job: Job }): JSX.Element {
  const counted = isCounted(job.status);
  const waiting = !counted && !isTerminal(job.status);
  const now = useNow(counted ? SECOND : waiting ? MINUTE : null);
  const seconds = entry.seconds(now);
  const paid = job.price_per_hour > 0;
  return (
    <>
      {waiting ? (
        <span className="mlws-Head-quiet" title={exact(parse(job.created_at))}>
          submitted {ago(parse(job.created_at), now)}
        </span>
      ) : (
        <span className="mlws-Head-time" title={times(job)}>
          {isTerminal(job.status) ? duration(seconds) : clock(seconds)}
        </span>
      )}
      {paid && !waiting && (
        <span
          className="mlws-Head-cost"
          title={`${money(job.price_per_hour)} an hour`}
        >
          {money(isTerminal(job.status) ? job.cost : costOf(job, seconds))}
        </span>
      )}
    </>
  );
}

/** When it was submitted, started and ended, for a title. */
export function times(job: Job): string {
  const moments: [string, string | null][] = [
    ['Submitted', job.created_at],
    ['Started', job.started_at],
    ['Ended', job.ended_at]
  ];
  return moments
    .filter((pair): pair is [string, string] => pair[1] !== null)
    .map(([word, moment]) => `${word} ${exact(parse(moment))}`)
    .join('\n');
}

function parse(moment: string): number {
  return Date.parse(moment);
}
