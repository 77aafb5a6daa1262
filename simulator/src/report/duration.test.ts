import { expect, test } from 'vitest';
import { describeDuration, durationMs } from './duration.ts';

test.each([
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['400d', 400 * 86_400_000],
  [250, 250],
])('%s is %i ms', (given, ms) => expect(durationMs(given)).toBe(ms));

test.each(['', '5', 'd', '-1d', '1 fortnight', Number.NaN, -1])('%s is no duration', (given) => {
  expect(durationMs(given)).toBeUndefined();
});

test.each([
  [0, '0ms'],
  [250, '250ms'],
  [40_000, '40s'],
  [30 * 3_600_000, '1d 6h'],
  [365 * 86_400_000, '1y'],
])('%i ms read %s', (ms, text) => expect(describeDuration(ms)).toBe(text));
