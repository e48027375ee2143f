import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Client, EventsQuery } from '../src/api/client';
import type { EventPage, LogEvent } from '../src/api/types';
import { LogReader } from '../src/jobs/reader';

const LIMIT = 1_000_000;

/** Stands for the server: serves a log of lines as `GET /jobs/{id}/events` does. */
class FakeLog {
  readonly asked: EventsQuery[] = [];
  private readonly lines: { offset: number; event: LogEvent }[] = [];
  size = 0;
  fails = false;

  append(text: string, bytes: number): void {
    const event = {
      t: 0,
      type: 'output',
      cell: 0,
      output: { output_type: 'stream', name: 'stdout', text },
      display_id: null
    } as LogEvent;
    this.lines.push({ offset: this.size, event });
    this.size += bytes;
  }

  appendBare(bytes: number): void {
    const event = {
      t: 0,
      type: 'sample',
      memory: 0,
      cpu_seconds: 0
    } as LogEvent;
    this.lines.push({ offset: this.size, event });
    this.size += bytes;
  }

  events(_: string, query: EventsQuery): Promise<EventPage> {
    this.asked.push(query);
    if (this.fails) {
      return Promise.reject(new Error('down'));
    }
    const from =
      query.tail === undefined
        ? (query.offset ?? 0)
        : Math.max(0, this.size - query.tail);
    const all = this.lines.filter(line => line.offset >= from);
    const offset = all.at(0)?.offset ?? this.size;
    const some = all.filter(line => line.offset < offset + LIMIT);
    const last = this.lines.indexOf(some.at(-1) ?? this.lines[0]);
    const next =
      some.length === 0
        ? this.size
        : (this.lines.at(last + 1)?.offset ?? this.size);
    return Promise.resolve({
      attempt: query.attempt ?? 1,
      newest: query.attempt ?? 1,
      status: 'Running',
      offset,
      next,
      size: this.size,
      done: false,
      events: some.map(line => line.event)
    });
  }
}

function textOf(reader: LogReader): string {
  return reader.log.cells
    .flatMap(cell => cell.entries)
    .map(({ output }) => ('text' in output ? output.text : ''))
    .join('');
}

let log: FakeLog;

function readerOf(whole: boolean): LogReader {
  return new LogReader(log as unknown as Client, 'id', whole);
}

beforeEach(() => {
  vi.useFakeTimers();
  log = new FakeLog();
});

afterEach(() => {
  vi.useRealTimers();
});

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(5000);
}

describe('a reader of the end', () => {
  it('begins with the tail and goes on from where it was', async () => {
    log.append('old\n', 100_000);
    log.append('new\n', 100);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    expect(textOf(reader)).toBe('new\n');
    expect(reader.above).toBe(100_000);
    log.append('newer\n', 100);
    reader.follow(1, log.size);
    await settle();
    expect(textOf(reader)).toBe('new\nnewer\n');
    expect(log.asked.map(({ tail, offset }) => tail ?? offset)).toEqual([
      65_536, 100_100
    ]);
  });

  it('asks for nothing that it has', async () => {
    log.append('a\n', 10);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    reader.follow(1, 10);
    await settle();
    expect(log.asked).toHaveLength(1);
  });

  it('waits for the first attempt', async () => {
    const reader = readerOf(false);
    reader.follow(0);
    await settle();
    expect(log.asked).toHaveLength(0);
    expect(reader.ready).toBe(false);
  });

  it('looks further back where the tail holds nothing to see', async () => {
    log.append('a picture\n', 300_000);
    log.appendBare(70_000);
    log.appendBare(100);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    expect(textOf(reader)).toBe('a picture\n');
    expect(reader.above).toBe(0);
  });

  it('jumps to the end of what came too fast', async () => {
    log.append('a\n', 10);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    for (let i = 0; i < 80; i += 1) {
      log.append(`${i}\n`, 50_000);
    }
    reader.follow(1, log.size);
    await settle();
    expect(textOf(reader)).toMatch(/79\n$/);
    expect(textOf(reader)).not.toContain('a\n');
    expect(reader.above).toBeGreaterThan(3_000_000);
  });

  it('begins anew with another attempt', async () => {
    log.append('first\n', 10);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    log = Object.assign(log, { lines: [], size: 0 });
    log.append('second\n', 10);
    reader.follow(2);
    await settle();
    expect(textOf(reader)).toBe('second\n');
    expect(log.asked.at(-1)).toMatchObject({ attempt: 2, tail: 65_536 });
  });

  it('keeps what it has while the server is away, and goes on after', async () => {
    log.append('a\n', 10);
    const reader = readerOf(false);
    reader.follow(1);
    await settle();
    log.fails = true;
    log.append('b\n', 10);
    reader.follow(1, 20);
    await settle();
    expect(textOf(reader)).toBe('a\n');
    expect(reader.problem).not.toBeNull();
    log.fails = false;
    reader.follow(1);
    await settle();
    expect(textOf(reader)).toBe('a\nb\n');
    expect(reader.problem).toBeNull();
  });
});

describe('a reader of the whole', () => {
  it('reads a portion, and more when asked', async () => {
    for (let i = 0; i < 50; i += 1) {
      log.append(`${i}\n`, 100_000);
    }
    const reader = readerOf(true);
    reader.follow(1);
    await settle();
    expect(textOf(reader)).toMatch(/^0\n/);
    expect(reader.above).toBe(0);
    expect(reader.below).toBe(4_000_000);
    // What is new at the end is not asked for while the reader is far from it.
    log.append('late\n', 100);
    const asked = log.asked.length;
    reader.follow(1, log.size);
    await settle();
    expect(log.asked).toHaveLength(asked);
    reader.more();
    await settle();
    expect(reader.below).toBeLessThan(4_000_000);
    expect(textOf(reader)).toMatch(/^0\n1\n/);
  });

  it('goes to the end, follows it, and comes back', async () => {
    for (let i = 0; i < 50; i += 1) {
      log.append(`${i}\n`, 100_000);
    }
    log.append('end\n', 10);
    const reader = readerOf(true);
    reader.follow(1);
    await settle();
    reader.toEnd();
    await settle();
    expect(textOf(reader)).toContain('end\n');
    expect(reader.above).toBeGreaterThan(4_000_000);
    expect(reader.below).toBe(0);
    reader.toStart();
    await settle();
    expect(textOf(reader)).toMatch(/^0\n/);
    expect(reader.above).toBe(0);
  });
});
