import { describe, expect, it } from 'vitest';
import { headline } from '../src/jobs/told';

describe('the line over a traceback', () => {
  it('says what went wrong where nothing else does', () => {
    expect(headline('ValueError', 'x', null)).toEqual({
      text: 'ValueError: x',
      quiet: false
    });
    expect(headline('ValueError', 'x', 'KeyError: y').text).toBe(
      'ValueError: x'
    );
  });

  it('does not say again what stands above', () => {
    const again = { text: 'Traceback', quiet: true };
    expect(headline('ValueError', 'x', 'ValueError: x')).toEqual(again);
    const long = 'very long '.repeat(100);
    const shortened = `ValueError: ${long.slice(0, 400)} … see the log … end`;
    expect(headline('ValueError', long, shortened)).toEqual(again);
  });

  it('has no colon without a message, and no alarm where the job was ended', () => {
    expect(headline('KeyboardInterrupt', '', null)).toEqual({
      text: 'KeyboardInterrupt',
      quiet: true
    });
    expect(headline('StopIteration', '', null)).toEqual({
      text: 'StopIteration',
      quiet: false
    });
  });
});
