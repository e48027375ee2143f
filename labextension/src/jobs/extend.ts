/**
 * Bringing the outputs of a cell from one state to the next with as little change as there is. Pure.
 */

import type { INotebookContent, IOutput, IStream } from '@jupyterlab/nbformat';

/** The part of JupyterLab's model of outputs that is needed here. */
export interface OutputsModel {
  readonly length: number;
  add(output: IOutput): unknown;
  set(index: number, output: IOutput): void;
  fromJSON(outputs: IOutput[]): void;
}

/** Make `model`, which shows `before`, show `after`. */
export function extend(
  model: OutputsModel,
  before: readonly IOutput[],
  after: readonly IOutput[]
): void {
  const continued =
    model.length === before.length &&
    after.length >= before.length &&
    before.every((output, i) => isContinued(output, after[i], i, before));
  if (!continued) {
    model.fromJSON([...after]);
    return;
  }
  after.forEach((output, i) => {
    if (i >= before.length) {
      model.add(output);
    } else if (!isSame(before[i], output)) {
      if (isStream(before[i]) && isStream(output)) {
        // The model appends to the stream before it, and knows what a carriage return does.
        const text = textOf(output).slice(textOf(before[i]).length);
        model.add({ ...output, text });
      } else {
        model.set(i, output);
      }
    }
  });
}

/** Whether two states of a notebook have the same cells, so that their outputs alone may differ. */
export function hasSameCells(
  a: INotebookContent,
  b: INotebookContent
): boolean {
  return (
    a.cells.length === b.cells.length &&
    a.cells.every((cell, i) => {
      const other = b.cells[i];
      return (
        cell.cell_type === other.cell_type && isSame(cell.source, other.source)
      );
    })
  );
}

/** Whether `after` can follow `before` at its place: the same, another rich output, or a stream that has grown. */
function isContinued(
  before: IOutput,
  after: IOutput,
  index: number,
  all: readonly IOutput[]
): boolean {
  if (isStream(before) || isStream(after)) {
    return (
      isSame(before, after) ||
      (isStream(before) &&
        isStream(after) &&
        before.name === after.name &&
        index === all.length - 1 &&
        textOf(after).startsWith(textOf(before)))
    );
  }
  return true;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isStream(output: IOutput): output is IStream {
  return output.output_type === 'stream';
}

/** nbformat allows a text to be a list of lines. */
function textOf({ text }: IStream): string {
  return typeof text === 'string' ? text : text.join('');
}
