/**
 * What stands over a traceback, beside what the view says of the job already. Pure.
 */

import { stripAnsi } from '../text/ansi';

export interface Headline {
  readonly text: string;
  /** Whether nothing new is said: no reason for colour. */
  readonly quiet: boolean;
}

/** Characters by which a message is known again: the server shortens long ones in their middle. */
const KNOWN_BY = 200;

/** The line over the traceback of an exception; `told` is the error that the view shows elsewhere, if any. */
export function headline(
  ename: string,
  evalue: string,
  told: string | null
): Headline {
  const sentence = stripAnsi(evalue ? `${ename}: ${evalue}` : ename);
  const beginning = stripAnsi(told ?? '').slice(0, KNOWN_BY);
  if (beginning !== '' && sentence.startsWith(beginning)) {
    return { text: 'Traceback', quiet: true };
  }
  // How a job is ended: for its limits or at the user's wish, of which the view tells.
  return { text: sentence, quiet: ename === 'KeyboardInterrupt' };
}
