import { expect, it } from 'vitest';
import { assignments, literal } from '../src/text/parameter';

it.each([
  [null, 'None'],
  [true, 'True'],
  [6, '6'],
  [0.5, '0.5'],
  ['it', "'it'"],
  ["it's", `"it's"`],
  [`"it's"`, `'"it\\'s"'`],
  ['a\nb', "'a\\nb'"],
  [[1, [2]], '[1, [2]]'],
  [{ a: 1, b: null }, "{'a': 1, 'b': None}"],
  [{ $float: 'nan' }, 'nan'],
  [{ $int: '9007199254740993' }, '9007199254740993'],
  [{ $dict: [['$float', 1]] }, "{'$float': 1}"]
])('%j is written %s', (json, text) => {
  expect(literal(json)).toBe(text);
});

it('is written as an assignment', () => {
  expect(assignments({ trees: 200, loss: 'log' })).toEqual([
    'trees = 200',
    "loss = 'log'"
  ]);
});
