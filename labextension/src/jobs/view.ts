/**
 * What the views of one job need from the application.
 */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Job } from '../api/types';
import type { JobActions } from './actions';
import type { JobStore } from './store';

export interface JobViewServices {
  readonly store: JobStore;
  readonly rendermime: IRenderMimeRegistry;
  readonly actions: JobActions;
}

/**
 * Whether scripts in the output may act on the page.
 *
 * As in a notebook: what the reader ran is trusted, and what someone else ran is not.
 */
export function isTrusted(job: Job | null, store: JobStore): boolean {
  const reader = store.connection.server?.user;
  return job !== null && reader !== undefined && job.created_by === reader;
}
