/**
 * An error: what is wrong, and what to do.
 */

import type { JSX } from 'react';
import { sentence, Unreachable } from '../api/errors';
import type { ErrorInfo } from '../api/types';
import { stripAnsi } from '../text/ansi';

export function Failure({ error }: { error: ErrorInfo }): JSX.Element {
  return (
    <div className="mlws-Failure" role="alert">
      <div className="mlws-Failure-message">{stripAnsi(error.message)}</div>
      {error.hint && (
        <div className="mlws-Failure-hint">{stripAnsi(error.hint)}</div>
      )}
    </div>
  );
}

/** Why a record could not be fetched, unless the server is away: the head tells that, and it passes. */
export function Problem({ problem }: { problem: unknown }): JSX.Element | null {
  return problem === null || problem instanceof Unreachable ? null : (
    <Failure error={sentence(problem)} />
  );
}
