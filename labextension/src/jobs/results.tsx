/**
 * What can be brought back from a job, and what cannot.
 */

import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import { type JSX, useEffect, useState } from 'react';
import type { ResultItem } from '../api/types';
import { size } from '../text/format';
import { IconButton } from './buttons';

/** Milliseconds for which a button says that it has copied. */
const SAID = 1500;

export interface ResultsProps {
  readonly results: readonly ResultItem[];
  readonly onCopy: (name: string) => void;
}

export function Results({ results, onCopy }: ResultsProps): JSX.Element | null {
  if (results.length === 0) {
    return null;
  }
  return (
    <ul className="mlws-Results" aria-label="Results">
      {results.map(item => (
        <li key={item.name}>
          {item.error === null ? (
            <Chip item={item} onCopy={() => onCopy(item.name)} />
          ) : (
            <span className="mlws-Chip mlws-mod-lost" title={item.error}>
              <code>{item.name}</code>
              <span className="mlws-quiet">{item.error}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Chip(props: { item: ResultItem; onCopy: () => void }): JSX.Element {
  const { item, onCopy } = props;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), SAID);
    return () => clearTimeout(timer);
  }, [copied]);
  const code = `job.result("${item.name}")`;
  return (
    <span className="mlws-Chip" title={`${item.name}: ${item.type}`}>
      <code>{item.name}</code>
      <span className="mlws-quiet">
        {item.preview ?? item.type}
        {item.size !== null && ` · ${size(item.size)}`}
      </span>
      <IconButton
        icon={copied ? checkIcon : copyIcon}
        label={copied ? 'Copied' : `Copy ${code}`}
        onClick={() => {
          onCopy();
          setCopied(true);
        }}
      />
    </span>
  );
}
