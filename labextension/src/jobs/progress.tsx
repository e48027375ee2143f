/**
 * How far a job has come: what it waits for, cells done, metrics.
 */

import { type JSX, useRef } from 'react';
import type { Job } from '../api/types';
import { value } from '../text/format';
import { isActive, isTerminal } from './states';

const SHOWN_METRICS = 8;

export function Progress({ job }: { job: Job }): JSX.Element | null {
  const metrics = Object.entries(job.metrics).sort(([a], [b]) =>
    a.localeCompare(b)
  );
  const notebook = job.cells_total > 1;
  const message = isTerminal(job.status) ? null : job.message;
  if (!notebook && metrics.length === 0 && !message) {
    return null;
  }
  return (
    <div className="mlws-Progress">
      {notebook && <Cells job={job} />}
      {metrics.slice(0, SHOWN_METRICS).map(([name, n]) => (
        <Metric key={name} name={name} n={n} live={!isTerminal(job.status)} />
      ))}
      {metrics.length > SHOWN_METRICS && (
        <span className="mlws-quiet">
          and {metrics.length - SHOWN_METRICS} more
        </span>
      )}
      {message && <span className="mlws-quiet">{message}</span>}
    </div>
  );
}

function Cells({ job }: { job: Job }): JSX.Element {
  const { cells_done: done, cells_total: total } = job;
  const current = isActive(job.status) ? Math.min(done + 1, total) : done;
  return (
    <span className="mlws-Cells">
      <span
        className="mlws-Cells-bar"
        role="progressbar"
        aria-label="Cells done"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        data-status={job.status}
      >
        <span style={{ width: `${(100 * done) / total}%` }} />
      </span>
      <span className="mlws-number">
        cell {current} of {total}
      </span>
    </span>
  );
}

interface MetricProps {
  readonly name: string;
  readonly n: number | null;
  /** Whether it may still change. */
  readonly live: boolean;
}

/** The latest value; while the job runs also whether it rose or fell since the value before it. */
function Metric({ name, n, live }: MetricProps): JSX.Element {
  const seen = useRef<{ n: number | null; arrow: string }>({ n, arrow: '' });
  const before = seen.current;
  if (n !== before.n) {
    const rose = n !== null && before.n !== null && n > before.n;
    const fell = n !== null && before.n !== null && n < before.n;
    seen.current = { n, arrow: rose ? '↑' : fell ? '↓' : '' };
  }
  return (
    <span className="mlws-Metric" title={`${name} ${n ?? 'NaN'}`}>
      <span className="mlws-quiet">{name}</span>
      <span className="mlws-number">
        {value(n)}
        {live && seen.current.arrow && (
          <span title="Since the value before it"> {seen.current.arrow}</span>
        )}
      </span>
    </span>
  );
}
