import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Distribution } from './distribution.ts';

function distributionOf(values: readonly number[]): Distribution {
  const distribution = new Distribution();
  for (const value of values) distribution.record(value);
  return distribution;
}

/** The smallest of `sorted` that a share of all do not exceed. */
function exactQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

test('every quantile is within one per cent of the exact one, from milliseconds to centuries', () => {
  const figure = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 4e12 }));
  fc.assert(
    fc.property(
      fc.array(figure, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const exact = exactQuantile(
          values.toSorted((a, b) => a - b),
          share,
        );
        const found = distributionOf(values).quantile(share) ?? Number.NaN;
        expect(Math.abs(found - exact) / exact).toBeLessThanOrEqual(0.0101);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});

test('count, mean, least and largest are exact', () => {
  const values = [17, 3, 86_400_000, 250, 250];
  expect(distributionOf(values).spread()).toMatchObject({ count: 5, mean: 17_280_104, min: 3, max: 86_400_000 });
});

test('nothing is said of nothing', () => {
  const { bars, ...figures } = new Distribution().spread();
  expect(bars.counts).toEqual([]);
  expect(figures).toMatchObject({ count: 0, p50: undefined, p99: undefined, max: undefined });
});

test('a certificate that was replaced too late shows in the least', () => {
  const { min, p1, p50 } = distributionOf([-5_000, 1_000, 1_000]).spread();
  expect(min).toBe(-5_000);
  expect(p1).toBeLessThanOrEqual(0);
  expect(p50).toBeCloseTo(1_000, -2);
});

test('figures beyond a thousand years keep their maximum', () => {
  const { p50, max } = distributionOf([1e15, 2e15, 9e15]).spread();
  expect(max).toBe(9e15);
  expect(p50).toBeGreaterThan(1e13);
});

test('bars hold every figure once, whatever the figures are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e6, max: 1e14, noNaN: true }), { minLength: 1, maxLength: 100 }),
      (values) => {
        const { bars } = distributionOf(values).spread();
        expect(bars.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect(bars.width).toBeGreaterThan(0);
      },
    ),
    { seed: 7 },
  );
});

test('bars are even where the figures are', () => {
  const { bars } = distributionOf(Array.from({ length: 10_000 }, (_, index) => 28_000 + index * 0.4)).spread();
  expect(Math.min(...bars.counts)).toBeGreaterThan(150);
  expect(Math.max(...bars.counts)).toBeLessThan(350);
});
