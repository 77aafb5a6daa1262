import { describe, expect, test } from 'vitest';
import { PRESETS } from '../certificates/budget/presets.ts';
import { ask, friendly } from './ask.ts';
import { rollOut } from './roll-out.ts';
import type { Fleet } from './roll-out.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const fleet: Fleet = { appliances: 90_000, zones: 1, isPublicSuffix: false };
const terms = PRESETS.letsencrypt;

test.each([
  [1, 1],
  [7, 8],
  [9, 10],
  [11, 12],
  [101, 120],
  [1400, 1500],
  [2001, 2500],
  [3198, 4000],
  [10_000, 10_000],
  [85_000, 100_000],
])('%d is asked for as %d', (count, asked) => {
  expect(friendly(count)).toBe(asked);
});

describe('what to ask Let’s Encrypt for', () => {
  test.each([
    // (90,000 - B) × 7 d / B ≤ 190 d: B ≥ 90,000 × 7 / 197; 37 days are enough for new-orders.
    [190, fleet, [['registered-domain', 3198, 4000]]],
    // (90,000 - 0.9 B) × 3 h / B ≤ 22 d: B ≥ 90,000 / (176 + 0.9)
    [
      22,
      fleet,
      [
        ['new-orders', 509, 600],
        ['registered-domain', 21_725, 25_000],
      ],
    ],
    [22, { ...fleet, isPublicSuffix: true }, [['new-orders', 509, 600]]],
    [190, { ...fleet, zones: 3 }, [['registered-domain', 1066, 1200]]],
    [38, { ...fleet, isPublicSuffix: true }, []],
    [365, { ...fleet, appliances: 50 }, []],
  ] as const)('to be done within %d days: %j', (days, who, expected) => {
    const { overrides, isEnough, rollOut: asked } = ask(who, terms, days * DAY_MS);
    expect(overrides.map(({ limit, smallest, wanted }) => [limit, smallest, wanted.burst])).toEqual(expected);
    expect([isEnough, asked.durationMs <= days * DAY_MS]).toEqual([true, true]);
  });

  test.each([1, 22, 38, 100, 190, 1000])('one less than the smallest is late, within %d days', (days) => {
    const withinMs = days * DAY_MS;
    for (const { limit, smallest, standing } of ask(fleet, terms, withinMs).overrides) {
      const timeWith = (burst: number): number => {
        const limits = { [limit]: { burst, periodMs: standing.periodMs } };
        return rollOut(fleet, { limits, renewals: 'exempt' }).durationMs;
      };
      expect(timeWith(smallest)).toBeLessThanOrEqual(withinMs);
      expect(timeWith(smallest - 1)).toBeGreaterThan(withinMs);
    }
  });

  test('what no override makes faster is told', () => {
    const { isEnough, rollOut: asked } = ask(fleet, terms, HOUR_MS);
    expect([isEnough, asked.binding]).toEqual([false, 'issuance']);
  });

  test('where a CA has no limits there is nothing to ask for', () => {
    expect(ask(fleet, PRESETS.pebble, DAY_MS).overrides).toEqual([]);
  });
});
