import { describe, expect, it } from 'vitest';
import {
  ago,
  clock,
  count,
  duration,
  money,
  plural,
  size,
  value
} from '../src/text/format';

const MIN = 60;
const HOUR = 3600;
const DAY = 86_400;

describe('duration', () => {
  it.each([
    [0, '0 s'],
    [0.04, '<0.1 s'],
    [0.84, '0.8 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 m'],
    [72, '1 m 12 s'],
    [2 * HOUR, '2 h'],
    [2 * HOUR + 5 * MIN + 59, '2 h 5 m'],
    [3 * DAY + 4 * HOUR, '3 d 4 h'],
    [-1, '–'],
    [NaN, '–']
  ])('%d s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('clock', () => {
  it.each([
    [0, '00:00'],
    [42.9, '00:42'],
    [723, '12:03'],
    [HOUR + 2 * MIN + 3, '1:02:03'],
    [30 * HOUR, '30:00:00'],
    [-5, '00:00'],
    [NaN, '00:00']
  ])('%d s is %s', (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });
});

describe('size', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KB'],
    [4_414_505, '4.21 MB'],
    [400 * 2 ** 20, '400 MB'],
    [1000 * 2 ** 20, '0.977 GB'],
    [2 ** 30 - 1, '1 GB'],
    [1.5 * 2 ** 30, '1.5 GB'],
    [5e18, '4441 PB'],
    [-1, '–']
  ])('%d bytes are %s', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});

describe('money', () => {
  it.each([
    [0, '$0'],
    [0.0002, '<$0.001'],
    [0.012, '$0.012'],
    [0.9996, '$1.00'],
    [1.254, '$1.25'],
    [999.996, '$1,000'],
    [1204.4, '$1,204'],
    [NaN, '–']
  ])('%d dollars are %s', (dollars, text) => {
    expect(money(dollars)).toBe(text);
  });
});

describe('value', () => {
  it.each([
    [0.84321, '0.8432'],
    [1, '1'],
    [-12345, '-12,345'],
    [0.00001234, '1.234e-5'],
    [12_345_678.9, '1.235e7'],
    [0, '0'],
    [-0.5, '-0.5000'],
    [0.79, '0.7900'],
    [12.5, '12.50'],
    [9.99996, '10.00'],
    [0.99996, '1.000'],
    [999.96, '1,000'],
    [1234.5, '1,235'],
    [123_456.7, '123,457']
  ])('%d is %s', (n, text) => {
    expect(value(n)).toBe(text);
  });

  it('shows what is no number as it is', () => {
    expect(value(null)).toBe('NaN');
    expect(value(Infinity)).toBe('∞');
    expect(value(-Infinity)).toBe('-∞');
  });
});

describe('ago', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  it.each([
    [-5, 'just now'],
    [44, 'just now'],
    [46, '1 min ago'],
    [3 * MIN, '3 min ago'],
    [59.6 * MIN, '1 h ago'],
    [5 * HOUR, '5 h ago'],
    [DAY, 'yesterday'],
    [3 * DAY, '3 days ago'],
    [20 * DAY, '3 Nov'],
    [400 * DAY, '19 Oct 2025']
  ])('%d s before is %s', (seconds, text) => {
    expect(ago(now - 1000 * seconds, now)).toBe(text);
  });

  it('says nothing of a time that is none', () => {
    expect(ago(NaN, now)).toBe('');
  });
});

describe('count and plural', () => {
  it('separates thousands', () => {
    expect(count(7043)).toBe('7,043');
    expect(count(1_234_567)).toBe('1,234,567');
    expect(count(12)).toBe('12');
  });

  it('has one form for one', () => {
    expect(plural(1, 'job')).toBe('1 job');
    expect(plural(0, 'job')).toBe('0 jobs');
    expect(plural(2000, 'job')).toBe('2,000 jobs');
  });
});
