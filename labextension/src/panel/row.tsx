/**
 * One job in the list.
 */

import { stopIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import type { Job } from '../api/types';
import { ago, clock, exact, money } from '../text/format';
import { assignments } from '../text/parameter';
import type { JobActions } from '../jobs/actions';
import { IconButton } from '../jobs/buttons';
import { costOf } from '../jobs/elapsed';
import { times } from '../jobs/head';
import { useNow, useSignal } from '../jobs/react';
import { isCounted, isTerminal } from '../jobs/states';
import { StatusMark } from '../jobs/status';
import type { JobEntry } from '../jobs/store';

const SECOND = 1000;
const MINUTE = 60_000;

export interface RowProps {
  readonly entry: JobEntry;
  readonly selected: boolean;
  readonly actions: JobActions;
}

export function Row({ entry, selected, actions }: RowProps): JSX.Element {
  useSignal(entry.changed);
  const { job, canceling } = entry;
  const name = job?.spec.name ?? entry.id;
  const parameters = assignments(job?.spec.parameters ?? {});
  const title = [name, ...parameters, job ? times(job) : ''];
  return (
    <li
      className={`mlws-Row${selected ? ' mlws-mod-selected' : ''}`}
      data-job={entry.id}
    >
      <button
        type="button"
        className="mlws-Row-open"
        aria-current={selected}
        title={title.filter(Boolean).join('\n')}
        onClick={() => actions.open(entry.id)}
      >
        <StatusMark status={job?.status ?? null} canceling={canceling} short />
        <span className="mlws-Row-name">
          {name}
          {parameters.length > 0 && (
            <span className="mlws-quiet"> {parameters.join(', ')}</span>
          )}
        </span>
        {job && <Numbers entry={entry} job={job} />}
      </button>
      {job && !isTerminal(job.status) ? (
        <IconButton
          icon={stopIcon}
          label={canceling ? 'Canceling…' : `Cancel ${name}`}
          className="mlws-stop"
          disabled={canceling}
          onClick={() => actions.cancel(entry.id)}
        />
      ) : (
        <span className="mlws-Row-slot" />
      )}
    </li>
  );
}

function Numbers({ entry, job }: { entry: JobEntry; job: Job }): JSX.Element {
  const counted = isCounted(job.status);
  const now = useNow(counted ? SECOND : MINUTE);
  const seconds = entry.seconds(now);
  const created = Date.parse(job.created_at);
  const cost = isTerminal(job.status) ? job.cost : costOf(job, seconds);
  return (
    <>
      <span className="mlws-Row-time" title={`Submitted ${exact(created)}`}>
        {counted ? clock(seconds) : ago(created, now)}
      </span>
      {job.price_per_hour > 0 && (
        <span className="mlws-Row-cost">
          {counted || isTerminal(job.status) ? money(cost) : ''}
        </span>
      )}
    </>
  );
}
