import { describe, expect, it } from 'vitest';
import { stripAnsi, tailOf } from '../src/text/ansi';

describe('stripAnsi', () => {
  it.each([
    ['plain', 'plain'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b[1;38;5;28mbold\u001b[39m', 'bold'],
    ['\u001b[2K\u001b[1Aup', 'up'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['[31m is no escape', '[31m is no escape'],
    ['grün \u001b[32m✓\u001b[0m', 'grün ✓']
  ])('%j is %j', (text, stripped) => {
    expect(stripAnsi(text)).toBe(stripped);
  });
});

describe('tailOf', () => {
  it('leaves a short text alone', () => {
    expect(tailOf('a\nb\n', 10)).toBe('a\nb\n');
  });

  it('cuts where a line begins', () => {
    expect(tailOf('one\ntwo\nthree\n', 8)).toBe('three\n');
  });

  it('cuts within a line that is longer than the limit', () => {
    expect(tailOf('x'.repeat(50), 10)).toBe('x'.repeat(10));
  });

  it('carries the colour over the cut', () => {
    expect(tailOf('\u001b[31mone\ntwo\nthree', 7)).toBe('\u001b[31mthree');
    expect(tailOf('\u001b[31mone\u001b[0m\ntwo\nthree', 7)).toBe('three');
  });
});
