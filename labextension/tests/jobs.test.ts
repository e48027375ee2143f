import { describe, expect, it } from 'vitest';
import type { Attempt, Job } from '../src/api/types';
import { asked } from '../src/jobs/asked';
import { costOf, Elapsed, secondsOf } from '../src/jobs/elapsed';
import { isNewer, matches } from '../src/jobs/list';
import { parseJobMime } from '../src/jobs/mime';
import { isCanceling } from '../src/jobs/states';

function job(fields: Record<string, unknown>): Job {
  return {
    id: '0000000000001',
    status: 'Running',
    wanted: 'run',
    attempt: 1,
    seconds: 0,
    price_per_hour: 0,
    created_at: '2026-11-23T12:00:00Z',
    spec: { name: 'Train Churn' },
    ...fields
  } as unknown as Job;
}

describe('elapsed time', () => {
  it('runs on from the earliest origin that a record gave', () => {
    const elapsed = new Elapsed();
    elapsed.see(job({ seconds: 5 }), 100_000);
    // This record is older than it looks: its seconds were written 2 s ago.
    elapsed.see(job({ seconds: 6 }), 103_000);
    expect(elapsed.seconds(job({ seconds: 6 }), 105_000)).toBe(10);
  });

  it('is what the record says once the job has ended', () => {
    const elapsed = new Elapsed();
    elapsed.see(job({ seconds: 5 }), 100_000);
    const ended = job({ status: 'Completed', seconds: 7.5 });
    elapsed.see(ended, 120_000);
    expect(elapsed.seconds(ended, 130_000)).toBe(7.5);
  });

  it('begins anew with another attempt, after the seconds of those before', () => {
    const elapsed = new Elapsed();
    elapsed.see(job({ seconds: 5 }), 100_000);
    elapsed.see(job({ seconds: 9, attempt: 2 }), 200_000);
    expect(elapsed.seconds(job({ seconds: 9, attempt: 2 }), 201_000)).toBe(10);
  });

  it('stands still while the job waits', () => {
    const elapsed = new Elapsed();
    for (const status of ['Queued', 'Preparing']) {
      const waiting = job({ status });
      elapsed.see(waiting, 100_000);
      expect(elapsed.seconds(waiting, 200_000)).toBe(0);
    }
  });

  it('costs by the hour', () => {
    expect(costOf(job({ price_per_hour: 0.36 }), 100)).toBeCloseTo(0.01);
  });
});

describe('the list', () => {
  it('matches by a part of the name, in any case, and by state', () => {
    const running = job({});
    expect(matches(running, { status: [], q: '' })).toBe(true);
    expect(matches(running, { status: [], q: 'churn' })).toBe(true);
    expect(matches(running, { status: [], q: 'predict' })).toBe(false);
    expect(matches(running, { status: ['Failed'], q: '' })).toBe(false);
    expect(
      matches(running, { status: ['Queued', 'Running'], q: 'TRAIN' })
    ).toBe(true);
  });

  it('has the newest first, and ids decide between equals', () => {
    const old = job({ created_at: '2026-11-23T11:00:00Z' });
    const first = job({ id: '0000000000001' });
    const second = job({ id: '0000000000002' });
    expect(isNewer(first, old)).toBe(true);
    expect(isNewer(old, first)).toBe(false);
    expect(isNewer(second, first)).toBe(true);
  });
});

describe('canceling', () => {
  it('lasts from the wish to the end', () => {
    expect(isCanceling(job({ wanted: 'cancel' }))).toBe(true);
    expect(isCanceling(job({ wanted: 'cancel', status: 'Canceled' }))).toBe(
      false
    );
    expect(isCanceling(job({}))).toBe(false);
  });
});

describe('the data in a notebook', () => {
  it('is read as the magic writes it', () => {
    const mime = parseJobMime({
      id: 'abc',
      workspace: 'w1',
      workspace_name: 'default',
      name: 'train',
      kind: 'cell',
      sent: [{ name: 'df', type: 'DataFrame', size: 12 }],
      skipped: [{ name: 'cache', reason: 'not defined' }]
    });
    expect(mime).toEqual({
      id: 'abc',
      workspace: 'w1',
      workspaceName: 'default',
      name: 'train',
      sent: [{ name: 'df', type: 'DataFrame', size: 12, sha256: '' }],
      skipped: [{ name: 'cache', reason: 'not defined' }],
      variable: 'job'
    });
  });

  it.each([[null], ['text'], [{}], [{ id: 7 }], [{ id: '' }]])(
    'names no job: %j',
    data => {
      expect(parseJobMime(data)).toBeNull();
    }
  );

  it('may be anything beside the id', () => {
    const mime = parseJobMime({
      id: 'abc',
      sent: 'nothing',
      skipped: [7, 'x', { reason: 'no name' }],
      name: {}
    });
    expect(mime).toMatchObject({
      name: null,
      sent: [],
      skipped: [{ name: 'x', reason: null }]
    });
  });
});

describe('what was asked for', () => {
  const named = (kind: string, path: string | null) =>
    Object.fromEntries(
      asked(
        job({
          spec: {
            kind,
            path,
            folder: '/home/ada',
            origin: { notebook: 'notes/train.ipynb' },
            kernel: { name: 'python3' },
            resources: { cpus: 1, memory: null, gpus: 0 },
            timeout: null,
            retries: 0,
            rerun_of: null
          }
        })
      )
    );

  it('names a notebook once', () => {
    const fields = named('notebook', 'train.ipynb');
    expect(fields).toMatchObject({ Notebook: 'train.ipynb' });
    expect(fields).not.toHaveProperty('File');
  });

  it('names the file, and the notebook that it was submitted from', () => {
    expect(named('script', 'train.py')).toMatchObject({
      File: 'train.py',
      Notebook: 'notes/train.ipynb'
    });
    expect(named('cell', null)).not.toHaveProperty('File');
  });
});

describe('the time of an attempt', () => {
  const attempt = (began: string | null, ended: string | null) =>
    secondsOf({
      created_at: '2026-11-23T12:00:00Z',
      started_at: began,
      ended_at: ended
    } as Attempt);

  it('is that of its code, as the job counts it', () => {
    expect(attempt('2026-11-23T12:00:05Z', '2026-11-23T12:00:08Z')).toBe(3);
    expect(attempt(null, '2026-11-23T12:00:08Z')).toBeNull();
    expect(attempt('2026-11-23T12:00:05Z', null)).toBeNull();
  });
});
