import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../src/api/connection';
import { ApiError } from '../src/api/errors';
import type { Change, Job } from '../src/api/types';
import { JobStore } from '../src/jobs/store';

/** Stands for the server and the connection to it; counts what is asked. */
class FakeServer {
  readonly change = new Signal<this, Change>(this);
  readonly restored = new Signal<this, void>(this);
  readonly asked: string[] = [];
  readonly jobs = new Map<string, Job>();

  readonly client = {
    job: (id: string): Promise<Job> => {
      this.asked.push(id);
      const job = this.jobs.get(id);
      const info = { code: 'job_not_found', message: 'none', hint: null };
      return job
        ? Promise.resolve(job)
        : Promise.reject(new ApiError(404, info));
    },
    delete: (id: string): Promise<void> => {
      this.jobs.delete(id);
      return Promise.resolve();
    }
  };

  add(id: string): void {
    const job = { id, status: 'Completed', attempt: 1, spec: { name: id } };
    this.jobs.set(id, job as unknown as Job);
  }

  tell(id: string, status: string | null, offset: number | null): void {
    const change = { workspace: 'w', noun: 'job', id, status, offset };
    this.change.emit({ ...change, sequence: 1 });
  }
}

let server: FakeServer;
let store: JobStore;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  server.add('a');
  store = new JobStore(server as unknown as Connection);
});

afterEach(() => {
  vi.useRealTimers();
});

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(5000);
}

describe('a deleted job', () => {
  it('is known to be gone by the change alone, and is asked for no more', async () => {
    const entry = store.entry('a');
    store.watch('a');
    await settle();
    expect(server.asked).toEqual(['a']);
    const grown = vi.fn();
    const updated = vi.fn();
    entry.logChanged.connect(grown);
    store.updated.connect(updated);
    server.jobs.delete('a');
    server.tell('a', null, null);
    server.tell('a', null, null);
    expect(entry.gone).toBe(true);
    expect(entry.job?.spec.name).toBe('a');
    server.restored.emit();
    store.watch('a');
    await settle();
    expect(server.asked).toEqual(['a']);
    expect(grown).not.toHaveBeenCalled();
    expect(updated).toHaveBeenCalledTimes(1);
  });

  it('is gone as soon as the server has deleted it', async () => {
    store.watch('a');
    await settle();
    await store.delete('a');
    expect(store.entry('a').gone).toBe(true);
    await settle();
    expect(server.asked).toEqual(['a']);
  });

  it('that nobody has seen is of no interest', async () => {
    server.tell('unknown', null, null);
    await settle();
    expect(server.asked).toEqual([]);
  });

  it('does not come back with an answer that was under way', async () => {
    store.watch('a');
    server.tell('a', null, null);
    await settle();
    expect(store.entry('a').gone).toBe(true);
    expect(store.put(server.jobs.get('a') as Job).gone).toBe(true);
  });
});

describe('a job that the server does not know', () => {
  it('is asked for once', async () => {
    store.watch('b');
    await settle();
    expect(store.entry('b').gone).toBe(true);
    store.refresh('b');
    server.restored.emit();
    await settle();
    expect(server.asked).toEqual(['b']);
  });
});
