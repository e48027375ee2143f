/**
 * The part of a card below its output: results, and what can be done next.
 */

import type { JSX } from 'react';
import type { JobActions } from './actions';
import { TextButton } from './buttons';
import type { JobMime } from './mime';
import { useSignal } from './react';
import { Results } from './results';
import { isTerminal } from './states';
import type { JobEntry } from './store';

export interface CardFootProps {
  readonly entry: JobEntry;
  readonly mime: JobMime;
  readonly actions: JobActions;
}

export function CardFoot(props: CardFootProps): JSX.Element | null {
  const { entry, mime, actions } = props;
  useSignal(entry.changed);
  const { job } = entry;
  if (!job || entry.gone || !isTerminal(job.status)) {
    return null;
  }
  return (
    <div className="mlws-Foot">
      <Results
        results={job.results}
        onCopy={name => actions.copyResult(name, mime.variable)}
      />
      <span className="mlws-Foot-buttons">
        <TextButton
          label="Open"
          title="Log, inputs, results and environment"
          onClick={() => actions.open(entry.id)}
        />
        <TextButton
          label="Re-run"
          title="Run it again exactly as it was"
          onClick={() => actions.rerun(entry.id)}
        />
      </span>
    </div>
  );
}
