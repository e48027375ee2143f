import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../src/api/types';
import { isFileValue, JobLog, type LoggedOutput } from '../src/jobs/log';

type Payload = Record<string, unknown>;

function output(
  payload: Payload,
  cell = 0,
  display_id: string | null = null
): LogEvent {
  return {
    t: 0,
    type: 'output',
    cell,
    output: payload,
    display_id
  } as LogEvent;
}

function stream(text: string, name = 'stdout', cell = 0): LogEvent {
  return output({ output_type: 'stream', name, text }, cell);
}

function display(text: string, id: string | null = null, cell = 0): LogEvent {
  const data = { 'text/plain': text };
  return output({ output_type: 'display_data', data, metadata: {} }, cell, id);
}

function cell(index: number, state: string, seconds: number | null = null) {
  return {
    t: 0,
    type: 'cell',
    index,
    position: index + 1,
    total: 3,
    state,
    execution_count: null,
    seconds
  } as LogEvent;
}

function folded(...events: LogEvent[]): JobLog {
  const log = new JobLog();
  events.forEach(event => log.add(event));
  return log;
}

function outputs(log: JobLog): LoggedOutput[] {
  return log.cells.flatMap(c => c.entries.map(entry => entry.output));
}

describe('streams', () => {
  it('join while nothing else comes between', () => {
    const log = folded(
      stream('a\n'),
      stream('b\n'),
      stream('oh\n', 'stderr'),
      stream('c\n')
    );
    expect(outputs(log)).toEqual([
      { output_type: 'stream', name: 'stdout', text: 'a\nb\n' },
      { output_type: 'stream', name: 'stderr', text: 'oh\n' },
      { output_type: 'stream', name: 'stdout', text: 'c\n' }
    ]);
  });

  it('keep their key and version while text is appended', () => {
    const log = folded(stream('a'));
    const { key, version } = log.cells[0].entries[0];
    log.add(stream('b'));
    expect(log.cells[0].entries[0]).toMatchObject({ key, version });
  });

  it('may come as lists of lines, as nbformat allows', () => {
    const log = folded(
      output({ output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] })
    );
    expect(outputs(log)[0]).toMatchObject({ text: 'a\nb' });
  });
});

describe('cells', () => {
  it('stand in the order of the notebook and hold their own outputs', () => {
    const log = folded(
      cell(0, 'running'),
      stream('zero'),
      cell(0, 'ok', 0.5),
      cell(2, 'running'),
      stream('two', 'stdout', 2),
      stream('one, late', 'stdout', 1)
    );
    expect(log.cells.map(c => [c.index, c.state, c.seconds])).toEqual([
      [0, 'ok', 0.5],
      [1, 'running', null],
      [2, 'running', null]
    ]);
    expect(log.total).toBe(3);
    expect(outputs(log)).toMatchObject([
      { text: 'zero' },
      { text: 'one, late' },
      { text: 'two' }
    ]);
  });

  it('are known by their outputs where the log was entered in the middle', () => {
    const log = folded(stream('x', 'stdout', 5));
    expect(log.cells).toMatchObject([{ index: 5, position: null }]);
  });
});

describe('displays', () => {
  it('are changed in place by their id, in all cells', () => {
    const log = folded(
      display('0 %', 'bar'),
      display('other'),
      display('0 %', 'bar', 1)
    );
    const before = log.cells[0].entries[0];
    const version = before.version;
    log.add(
      output(
        {
          output_type: 'update_display_data',
          data: { 'text/plain': '50 %' },
          metadata: {}
        },
        1,
        'bar'
      )
    );
    expect(outputs(log).map(o => 'data' in o && o.data['text/plain'])).toEqual([
      '50 %',
      'other',
      '50 %'
    ]);
    expect(log.cells[0].entries[0].key).toBe(before.key);
    expect(log.cells[0].entries[0].version).toBeGreaterThan(version);
  });

  it('without an id are never taken for one another', () => {
    const log = folded(display('a'));
    log.add(
      output({
        output_type: 'update_display_data',
        data: { 'text/plain': 'b' },
        metadata: {}
      })
    );
    expect(outputs(log)).toMatchObject([{ data: { 'text/plain': 'a' } }]);
  });
});

describe('clear_output', () => {
  it('empties its cell at once', () => {
    const log = folded(
      stream('a'),
      stream('other', 'stdout', 1),
      output({ output_type: 'clear_output', wait: false })
    );
    expect(outputs(log)).toMatchObject([{ text: 'other' }]);
  });

  it('waits for the next output where it was told to', () => {
    const log = folded(
      stream('a'),
      output({ output_type: 'clear_output', wait: true })
    );
    expect(outputs(log)).toMatchObject([{ text: 'a' }]);
    log.add(stream('b'));
    expect(outputs(log)).toMatchObject([{ text: 'b' }]);
  });
});

describe('what is told of the run', () => {
  it('keeps messages and the environment', () => {
    const log = folded(
      { t: 0, type: 'message', level: 'warning', text: 'slow' },
      {
        t: 0,
        type: 'environment',
        python: '3.11',
        sha256: '',
        packages: ['a==1']
      }
    );
    expect(log.messages).toEqual([{ level: 'warning', text: 'slow' }]);
    expect(log.environment).toEqual({ python: '3.11', packages: ['a==1'] });
  });

  it('passes over what it does not know', () => {
    const log = folded(output({ output_type: 'something_new' }), {
      t: 0,
      type: 'someday'
    } as unknown as LogEvent);
    expect(log.hasOutput).toBe(false);
  });

  it('takes errors whole', () => {
    const log = folded(
      output({
        output_type: 'error',
        ename: 'ValueError',
        evalue: 'ünï',
        traceback: ['a', 'b']
      })
    );
    expect(outputs(log)).toEqual([
      {
        output_type: 'error',
        ename: 'ValueError',
        evalue: 'ünï',
        traceback: ['a', 'b']
      }
    ]);
  });
});

describe('trim', () => {
  const limits = { stream: 100, outputs: 10, weight: 1000 };

  it('leaves a short log alone', () => {
    const log = folded(stream('a\n'), display('b'));
    log.trim(limits);
    expect(log.dropped).toBe(0);
    expect(outputs(log)).toHaveLength(2);
  });

  it('keeps the end of a long stream, and counts what went', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('');
    const log = folded(stream(lines));
    const version = log.cells[0].entries[0].version;
    log.trim(limits);
    const [left] = outputs(log) as { text: string }[];
    expect(left.text.endsWith('line 99\n')).toBe(true);
    expect(left.text.startsWith('line ')).toBe(true);
    expect(left.text.length).toBeLessThanOrEqual(50);
    expect(log.dropped).toBe(lines.length - left.text.length);
    expect(log.cells[0].entries[0].version).toBeGreaterThan(version);
  });

  it('drops the oldest of many outputs, over all cells', () => {
    const log = folded(
      ...Array.from({ length: 12 }, (_, i) =>
        display(`${i}`, null, Math.floor(i / 6))
      )
    );
    log.trim(limits);
    expect(outputs(log)).toHaveLength(5);
    expect(outputs(log).at(-1)).toMatchObject({ data: { 'text/plain': '11' } });
  });

  it('drops by weight, and never the last one', () => {
    const log = folded(display('x'.repeat(600)), display('y'.repeat(5000)));
    log.trim(limits);
    expect(outputs(log)).toHaveLength(1);
    expect(log.dropped).toBe(600);
  });
});

describe('isFileValue', () => {
  it('tells a file from a value', () => {
    expect(isFileValue({ file: '0.png', size: 12 })).toBe(true);
    expect(isFileValue({ file: '0.png', size: 12, more: 1 })).toBe(false);
    expect(isFileValue('0.png')).toBe(false);
    expect(isFileValue(null)).toBe(false);
  });
});
