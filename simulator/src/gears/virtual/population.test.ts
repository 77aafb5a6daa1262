import { describe, expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import { arrivalMs } from './population.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONDAY_MS = Date.UTC(2026, 10, 23);

type Shape = Parameters<typeof arrivalMs>[0]['shape'];

function arrivals(shape: Shape, { over = DAY_MS, startMs = MONDAY_MS, count = 2_000 } = {}): readonly number[] {
  const random = seededRandom(5);
  return Array.from({ length: count }, () => arrivalMs({ shape, over }, random, startMs));
}

function shareOf(all: readonly number[], isCounted: (ms: number) => boolean): number {
  return all.filter(isCounted).length / all.length;
}

test('at once: everybody at the first instant', () => {
  expect(new Set(arrivals('at-once'))).toEqual(new Set([0]));
});

test.each([
  ['even', 0.5],
  // A rate that grows evenly has brought a quarter when half the time is over.
  ['ramp', 0.25],
] as const)('%s: all within the time, %d of them in its first half', (shape, share) => {
  const all = arrivals(shape);
  expect(shareOf(all, (ms) => ms >= 0 && ms < DAY_MS)).toBe(1);
  expect(shareOf(all, (ms) => ms < DAY_MS / 2)).toBeCloseTo(share, 1);
});

describe.each([
  ['Monday', 0],
  ['Wednesday', 2],
  ['Sunday', 6],
])('workdays from a %s', (_, day) => {
  const startMs = MONDAY_MS + day * DAY_MS + 11 * HOUR_MS;
  const all = arrivals('workdays', { over: 21 * DAY_MS, startMs });
  const dates = all.map((ms) => new Date(startMs + ms));

  test('nobody comes before the start, at night or at a weekend', () => {
    expect(all.every((ms) => ms >= 0)).toBe(true);
    expect(dates.every((date) => date.getUTCDay() >= 1 && date.getUTCDay() <= 5)).toBe(true);
    expect(dates.every((date) => date.getUTCHours() >= 8 && date.getUTCHours() < 18)).toBe(true);
  });

  test('a third comes on Mondays, the rest evenly', () => {
    const weekdays = dates.map((date) => date.getUTCDay());
    expect(shareOf(weekdays, (weekday) => weekday === 1)).toBeCloseTo(1 / 3, 1);
    for (const wanted of [2, 3, 4, 5]) {
      expect(shareOf(weekdays, (weekday) => weekday === wanted)).toBeCloseTo(1 / 6, 1);
    }
  });
});

test.each(['at-once', 'even', 'ramp', 'workdays'] as const)('%s: the same dice, the same arrivals', (shape) => {
  expect(arrivals(shape, { count: 50 })).toEqual(arrivals(shape, { count: 50 }));
});
