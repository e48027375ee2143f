/**
 * A state is a shape, a colour and a word.
 */

import type { JSX } from 'react';
import type { JobStatus } from '../api/types';

export interface StatusMarkProps {
  /** Null while nothing is known. */
  readonly status: JobStatus | null;
  readonly canceling?: boolean;
  /** Leave the word to a title; for rows of a list. */
  readonly short?: boolean;
}

const SHAPES: Record<JobStatus, JSX.Element> = {
  Queued: ring(),
  Preparing: (
    <>
      {ring()}
      <path d="M8 3a5 5 0 0 1 5 5H8z" fill="currentColor" />
    </>
  ),
  Running: <circle cx="8" cy="8" r="5.75" fill="currentColor" />,
  Finalizing: (
    <>
      {ring()}
      <path d="M8 3a5 5 0 1 1-5 5h5z" fill="currentColor" />
    </>
  ),
  Completed: line('M3 8.5l3.3 3.3L13 4.800'),
  Failed: line('M3.800 3.800l8.400 8.400m0-8.400l-8.400 8.400'),
  Canceled: (
    <>
      {ring()}
      {line('M4.300 11.700l7.400-7.400')}
    </>
  )
};

/** The shape and the word of a state; its colour comes from the style sheet. */
export function StatusMark(props: StatusMarkProps): JSX.Element {
  const word = wordOf(props);
  return (
    <span
      className="mlws-Status"
      data-status={props.status ?? 'unknown'}
      title={props.short ? word : undefined}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {props.status ? SHAPES[props.status] : ring()}
      </svg>
      <span className={props.short ? 'mlws-visuallyHidden' : undefined}>
        {word}
      </span>
    </span>
  );
}

function wordOf({ status, canceling }: StatusMarkProps): string {
  if (status === null) {
    return 'Loading';
  }
  return canceling ? 'Canceling…' : status;
}

function ring(): JSX.Element {
  return (
    <circle
      cx="8"
      cy="8"
      r="5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    />
  );
}

function line(d: string): JSX.Element {
  return (
    <path
      d={d}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  );
}
