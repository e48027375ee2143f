/**
 * What a job was asked to be, as its tab lists it. Pure.
 */

import type { Job } from '../api/types';
import { duration, money, size } from '../text/format';

/** What was asked for, as pairs of a word and a text. */
export function asked({
  id,
  spec,
  created_by,
  price_per_hour
}: Job): [string, string][] {
  const { resources, kernel, origin } = spec;
  const fields: (readonly [string, string | null])[] = [
    ['Job', id],
    ['Kind', spec.kind],
    // A notebook that was submitted is the file; that it was submitted from itself tells nothing.
    ...(spec.kind === 'notebook'
      ? ([['Notebook', spec.path]] as const)
      : ([
          ['File', spec.path],
          ['Notebook', origin.notebook]
        ] as const)),
    ['Folder', spec.folder],
    ['Experiment', spec.experiment],
    ['Compute', spec.compute],
    ['Kernel', kernel.name ?? kernel.executable],
    ['CPUs', String(resources.cpus)],
    ['Memory', resources.memory === null ? null : size(resources.memory)],
    ['GPUs', resources.gpus > 0 ? String(resources.gpus) : null],
    ['Timeout', spec.timeout === null ? null : duration(spec.timeout)],
    ['Retries', spec.retries > 0 ? String(spec.retries) : null],
    ['Priority', spec.priority],
    ['Price', price_per_hour > 0 ? `${money(price_per_hour)} an hour` : null],
    ['Submitted by', created_by],
    ['Re-run of', spec.rerun_of]
  ];
  return fields.filter((field): field is [string, string] => field[1] !== null);
}
