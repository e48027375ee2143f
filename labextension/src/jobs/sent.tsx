/**
 * What went with the job: variables with their sizes, and what stayed behind.
 */

import type { JSX } from 'react';
import type { InputItem } from '../api/types';
import { plural, size } from '../text/format';
import type { SkippedItem } from './mime';

/** Below this many bytes a size says nothing. */
const NOTABLE = 1000;
const SHOWN = 12;

export interface SentProps {
  readonly sent: readonly InputItem[];
  readonly skipped: readonly SkippedItem[];
}

export function Sent({ sent, skipped }: SentProps): JSX.Element | null {
  if (sent.length === 0 && skipped.length === 0) {
    return null;
  }
  const rest = sent.length - SHOWN;
  return (
    <div className="mlws-Sent">
      <span className="mlws-label">sent</span>
      <span className="mlws-Sent-items">
        {sent.slice(0, SHOWN).map(item => (
          <span
            key={item.name}
            className="mlws-Sent-item"
            title={`${item.name}: ${item.type}, ${size(item.size)}`}
          >
            <code>{item.name}</code>
            {item.size >= NOTABLE && (
              <span className="mlws-quiet">
                {item.type} {size(item.size)}
              </span>
            )}
          </span>
        ))}
        {rest > 0 && (
          <span
            className="mlws-quiet"
            title={sent
              .slice(SHOWN)
              .map(item => item.name)
              .join(', ')}
          >
            and {rest} more
          </span>
        )}
        {sent.length === 0 && <span className="mlws-quiet">nothing</span>}
      </span>
      {skipped.length > 0 && (
        <details className="mlws-Sent-skipped">
          <summary>{skipped.length} skipped</summary>
          <ul aria-label={plural(skipped.length, 'skipped variable')}>
            {skipped.map(item => (
              <li key={item.name}>
                <code>{item.name}</code> {item.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
