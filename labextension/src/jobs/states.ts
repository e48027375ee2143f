/**
 * What the states of a job mean to a reader. Pure.
 */

import type { Job, JobStatus } from '../api/types';

const ACTIVE: readonly JobStatus[] = ['Preparing', 'Running', 'Finalizing'];
const TERMINAL: readonly JobStatus[] = ['Completed', 'Failed', 'Canceled'];

/** Whether an attempt is under way. */
export function isActive(status: JobStatus): boolean {
  return ACTIVE.includes(status);
}

/** Whether the user's code has begun and the attempt has not ended: its seconds are counted. */
export function isCounted(status: JobStatus): boolean {
  return status === 'Running' || status === 'Finalizing';
}

/** Whether nothing can follow. */
export function isTerminal(status: JobStatus): boolean {
  return TERMINAL.includes(status);
}

/** Whether the job has been asked to end, and has not ended yet. */
export function isCanceling(job: Job): boolean {
  return job.wanted === 'cancel' && !isTerminal(job.status);
}

/** The choices of the list's filter, with the states that each stands for. */
export const STATUS_FILTERS: readonly {
  readonly label: string;
  readonly status: readonly JobStatus[];
}[] = [
  { label: 'All', status: [] },
  { label: 'Active', status: ['Queued', ...ACTIVE] },
  { label: 'Completed', status: ['Completed'] },
  { label: 'Failed', status: ['Failed'] },
  { label: 'Canceled', status: ['Canceled'] }
];
