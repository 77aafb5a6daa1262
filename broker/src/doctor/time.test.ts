import { expect, test } from 'vitest';
import { judgeTime } from './time.ts';

test.each<readonly [readonly (number | undefined)[], string]>([
  [[0], 'ok'],
  [[-30_000], 'ok'],
  [[30_001], 'warning'],
  [[-300_000], 'warning'],
  [[300_001], 'error'],
  [[-86_400_000], 'error'],
  [[undefined], 'skipped'],
  [[], 'skipped'],
  // One CA whose clock is wrong says nothing about ours.
  [[400_000, 1_000], 'ok'],
])('ahead by %j ms: %s', (aheadMs, severity) => {
  expect(judgeTime(aheadMs).severity).toBe(severity);
});

test('it says in which direction', () => {
  expect(judgeTime([60_000]).what).toBe('The clock is 60 s ahead of the CA’s.');
  expect(judgeTime([-60_000]).what).toBe('The clock is 60 s behind the CA’s.');
});
