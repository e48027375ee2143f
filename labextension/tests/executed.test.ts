import type { INotebookContent, IOutput } from '@jupyterlab/nbformat';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { extend, hasSameCells } from '../src/jobs/extend';
import { Paced } from '../src/jobs/paced';

function stream(text: string | string[], name = 'stdout'): IOutput {
  return { output_type: 'stream', name, text };
}

function rich(html: string): IOutput {
  return {
    output_type: 'display_data',
    data: { 'text/html': html },
    metadata: {}
  };
}

/** Notes what is done to the model of a cell's outputs. */
function changes(before: IOutput[], after: IOutput[], length?: number) {
  const done: unknown[] = [];
  extend(
    {
      length: length ?? before.length,
      add: output => done.push(['add', output]),
      set: (i, output) => done.push(['set', i, output]),
      fromJSON: outputs => done.push(['fromJSON', outputs.length])
    },
    before,
    after
  );
  return done;
}

describe('outputs of a running cell', () => {
  it('are left alone where nothing changed', () => {
    expect(changes([stream('a'), rich('x')], [stream('a'), rich('x')])).toEqual(
      []
    );
  });

  it('grow at their end', () => {
    const before = [rich('x'), stream(['a\n', 'b'])];
    const after = [rich('x'), stream(['a\n', 'bc\n']), rich('y')];
    expect(changes(before, after)).toEqual([
      ['add', stream('c\n')],
      ['add', rich('y')]
    ]);
  });

  it('are replaced one by one where a display was updated', () => {
    expect(changes([rich('x'), stream('a')], [rich('y'), stream('a')])).toEqual(
      [['set', 0, rich('y')]]
    );
  });

  it.each([
    ['cleared', [rich('x')], [], 1],
    ['overwritten', [stream('10 %')], [stream('20 %')], 1],
    ['of another kind', [stream('a')], [rich('a')], 1],
    ['merged by the model', [stream('a'), stream('b')], [stream('ab')], 1]
  ])('are drawn anew where they were %s', (_, before, after, length) => {
    expect(changes(before, after, length)).toEqual([
      ['fromJSON', after.length]
    ]);
  });
});

describe('the cells of a notebook', () => {
  const notebook = (...sources: string[]) =>
    ({
      cells: sources.map(source => ({ cell_type: 'code', source }))
    }) as unknown as INotebookContent;

  it('are the same by kind and source', () => {
    expect(hasSameCells(notebook('a', 'b'), notebook('a', 'b'))).toBe(true);
    expect(hasSameCells(notebook('a'), notebook('a', 'b'))).toBe(false);
    expect(hasSameCells(notebook('a'), notebook('b'))).toBe(false);
  });
});

describe('what is paced', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is done at once, and then at most once a pause', async () => {
    const run = vi.fn(() => Promise.resolve());
    const paced = new Paced(run, 1000);
    for (let i = 0; i < 25; i++) {
      paced.ask();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(run).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(run).toHaveBeenCalledTimes(4);
  });

  it('is not done after its end', async () => {
    const run = vi.fn(() => Promise.resolve());
    const paced = new Paced(run, 1000);
    paced.ask();
    paced.ask();
    paced.dispose();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
