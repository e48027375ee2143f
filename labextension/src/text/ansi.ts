/**
 * Terminal escapes in text. Pure.
 */

// CSI sequences (colours, cursor), OSC sequences (titles, links; ended by BEL or ESC \), and two-character escapes.
const ESCAPES =
  // eslint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** The text without terminal escapes, for a sentence, a title or a search. */
export function stripAnsi(text: string): string {
  return text.replace(ESCAPES, '');
}

/**
 * The last lines of `text`, of at most about `limit` characters, cut where a line begins.
 *
 * The colour that is in force at the cut is carried over, so that what is left looks as it did.
 */
export function tailOf(text: string, limit: number): string {
  if (text.length <= limit) {
    return text;
  }
  const from = text.length - limit;
  const newline = text.indexOf('\n', from);
  // A line longer than the limit has to be cut within.
  const cut = newline === -1 || newline + 1 >= text.length ? from : newline + 1;
  return colourBefore(text, cut) + text.slice(cut);
}

function colourBefore(text: string, cut: number): string {
  const start = Math.max(0, cut - 2000);
  // eslint-disable-next-line no-control-regex
  const codes = text.slice(start, cut).match(/\u001b\[[0-9;]*m/g);
  const last = codes?.at(-1) ?? '';
  return last === '\u001b[0m' || last === '\u001b[m' ? '' : last;
}
