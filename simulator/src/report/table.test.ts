import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  expect(
    table([
      ['name', 'n'],
      ['a', '1'],
      ['longer', ''],
    ]),
  ).toEqual(['name    n', '──────  ─', 'a       1', 'longer']);
});

test('a table without rows is its heading', () => {
  expect(table([['name']])).toEqual(['name', '────']);
  expect(table([])).toEqual(['', '']);
});
