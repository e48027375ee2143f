/**
 * Names that other extensions, the server and the user's settings know this one by. No side effects.
 */

import { Token } from '@lumino/coreutils';
import type { JobStore } from './jobs/store';
import type { Selection } from './panel/selection';

/** What `%%mlws submit` puts under its cell. */
export const JOB_MIME_TYPE = 'application/vnd.mlws.job+json';

/** The jobs of the workspace, live. */
export const IJobs = new Token<JobStore>(
  'jupyter-mlws:IJobs',
  'The jobs of the machine-learning workspace, live.'
);

/** The job at hand in the side panel. */
export const IJobSelection = new Token<Selection>(
  'jupyter-mlws:IJobSelection',
  'The job that is selected in the side panel.'
);

export const CommandIDs = {
  submitNotebook: 'mlws:submit-notebook',
  openJob: 'mlws:open-job',
  cancelJob: 'mlws:cancel-job',
  rerunJob: 'mlws:rerun-job',
  deleteJob: 'mlws:delete-job',
  copyResult: 'mlws:copy-result',
  downloadNotebook: 'mlws:download-notebook',
  openMlflow: 'mlws:open-mlflow',
  showJobs: 'mlws:show-jobs',
  newNotebook: 'mlws:new-notebook'
} as const;

/** What every command of a job is told: which one. Without it, the job whose tab is in front. */
export const JOB_ARGS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of the job.' },
    row: {
      type: 'boolean',
      description: "The job of the list's row under the context menu."
    }
  }
} as const;
