/**
 * What a job was told, so that two runs can be told apart.
 */

import type { JSX } from 'react';
import { assignments } from '../text/parameter';

const SHOWN = 8;
/** Characters of one parameter. */
const LONGEST = 40;

export interface ParametersProps {
  readonly parameters: Readonly<Record<string, unknown>>;
}

export function Parameters({
  parameters
}: ParametersProps): JSX.Element | null {
  const all = assignments(parameters);
  if (all.length === 0) {
    return null;
  }
  const rest = all.slice(SHOWN);
  return (
    <div className="mlws-Parameters">
      <span className="mlws-label">with</span>
      {all.slice(0, SHOWN).map(text => (
        <code key={text} title={text}>
          {text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}
        </code>
      ))}
      {rest.length > 0 && (
        <span className="mlws-quiet" title={rest.join('\n')}>
          and {rest.length} more
        </span>
      )}
    </div>
  );
}
