import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullJitter } from './backoff.ts';
import { randomHex, randomId, systemRandom } from './random.ts';

const bounds = { baseMs: 1_000, capMs: 60_000 };
const dice = (uniform: number) => ({ uniform: () => uniform, bytes: (count: number) => new Uint8Array(count) });

test('the bound of the wait doubles up to the cap', () => {
  const longest = [1, 2, 3, 6, 7, 8, 1_000].map((attempt) => fullJitter(bounds, attempt, dice(0.999_999)));
  expect(longest).toEqual([999, 1_999, 3_999, 31_999, 59_999, 59_999, 59_999]);
});

test('every wait is a whole number within its bounds, however many attempts have failed', () => {
  const attempt = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(attempt, fc.double({ min: 0, max: 0.999_999, noNaN: true }), (failed, uniform) => {
      const waitMs = fullJitter(bounds, failed, dice(uniform));
      expect(Number.isInteger(waitMs) && waitMs >= 0 && waitMs < bounds.capMs).toBe(true);
    }),
  );
});

test('the system’s dice give what is asked for', () => {
  expect(systemRandom.bytes(20)).toHaveLength(20);
  expect(systemRandom.uniform()).toBeLessThan(1);
  expect(randomHex(systemRandom, 4)).toMatch(/^[0-9a-f]{8}$/);
  expect(new Set(Array.from({ length: 1_000 }, () => randomId(systemRandom))).size).toBe(1_000);
});
