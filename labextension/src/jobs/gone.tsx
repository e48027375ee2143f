/**
 * What is left of a job that was deleted: a sentence.
 */

import type { JSX } from 'react';

export function Gone({ name }: { name: string }): JSX.Element {
  return <div className="mlws-Gone">{`The job ${name} was deleted.`}</div>;
}
