import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renewalTime } from './renewal-time.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 22);

function dayOf(lifeDays: number, uniform: number): number {
  const validity = { notBeforeMs: START_MS, notAfterMs: START_MS + lifeDays * DAY_MS };
  return (renewalTime(validity, uniform, START_MS) - START_MS) / DAY_MS;
}

test('a certificate is renewed at two thirds of its life, a short one at half, give or take a hundredth', () => {
  expect(dayOf(90, 0.5)).toBeCloseTo(60, 3);
  expect(dayOf(90, 0)).toBeCloseTo(59.1, 3);
  expect(dayOf(45, 0.5)).toBeCloseTo(30, 3);
  expect(dayOf(10, 0.5)).toBeCloseTo(6.667, 3);
  expect(dayOf(6, 0.5)).toBeCloseTo(3, 3);
  expect(dayOf(6, 1)).toBeCloseTo(3.06, 3);
});

test('however long it lives, it is renewed within its life, with a quarter of it left', () => {
  const life = fc.integer({ min: 1_000, max: 1_000 * DAY_MS });
  fc.assert(
    fc.property(life, fc.double({ min: 0, max: 0.999, noNaN: true }), (lifeMs, uniform) => {
      const atMs = renewalTime({ notBeforeMs: START_MS, notAfterMs: START_MS + lifeMs }, uniform, START_MS) - START_MS;
      expect(atMs).toBeGreaterThan(0);
      expect(lifeMs - atMs).toBeGreaterThan(lifeMs / 4);
    }),
  );
});

test('one that was old when it was issued is used for a third of what is left', () => {
  const validity = { notBeforeMs: START_MS - 400 * DAY_MS, notAfterMs: START_MS + 6 * DAY_MS };
  expect(renewalTime(validity, 0.5, START_MS)).toBe(START_MS + 2 * DAY_MS);
});
