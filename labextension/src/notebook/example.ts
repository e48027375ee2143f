/**
 * The first step of a new user: a notebook whose second cell is a job.
 */

import type { INotebookContent } from '@jupyterlab/nbformat';

const SETUP = `%load_ext jupyter_mlws

numbers = list(range(1, 1001))`;

const JOB = `%%mlws submit --name first-job
print("This runs in a kernel of its own, with", len(numbers), "numbers from the notebook.")
total = sum(numbers)`;

const RESULT = `job.result("total")`;

/** The example's notebook, for the kernelspec of that name. */
export function example(kernelName: string): INotebookContent {
  const cells = [SETUP, JOB, RESULT].map(source => ({
    cell_type: 'code' as const,
    execution_count: null,
    metadata: {},
    outputs: [],
    source
  }));
  return {
    cells,
    metadata: {
      kernelspec: { name: kernelName, display_name: kernelName }
    },
    nbformat: 4,
    nbformat_minor: 4
  };
}
