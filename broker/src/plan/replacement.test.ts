import { describe, expect, test } from 'vitest';
import { PRESETS } from '../certificates/budget/presets.ts';
import { replacement } from './replacement.ts';
import type { PlanTerms } from './roll-out.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const fleet = { appliances: 90_000, zones: 1, isPublicSuffix: false };
const counting: PlanTerms = { limits: PRESETS.letsencrypt.limits, renewals: 'counted' };

describe('everything replaced within a day', () => {
  test('so many orders an hour and a second, nine requests each', () => {
    const found = replacement({ ...fleet, appliances: 1_000_000 }, PRESETS.letsencrypt);
    expect(found.ordersPerHour).toBeCloseTo(41_666.67, 1);
    expect(found.ordersPerSecond).toBeCloseTo(11.574, 3);
    expect(found.requestsPerSecond).toBeCloseTo(104.17, 2);
  });

  test.each([
    // 15 a second: the most that a day has room for, and one more.
    ['where renewals are exempt', 1_296_000, PRESETS.letsencrypt, 86_400 * SECOND_MS, true],
    ['where renewals are exempt, with one more', 1_296_001, PRESETS.letsencrypt, 86_400_067, false],
    // 50 at once, then one in 12,096 s.
    ['where they are counted', 57, counting, 7 * 12_096 * SECOND_MS, true],
    ['where they are counted, with one more', 58, counting, 8 * 12_096 * SECOND_MS, false],
    // 20 requests a second: (90,000 - 2) × 9 / 20 s.
    ['in staging', 90_000, PRESETS['letsencrypt-staging'], 89_998 * 450, true],
  ] as const)('%s', (_, appliances, terms, durationMs, isInTime) => {
    expect(replacement({ ...fleet, appliances }, terms)).toMatchObject({ durationMs, isInTime });
  });

  test('what is not counted is told all the same', () => {
    const { hurdles } = replacement(fleet, PRESETS.letsencrypt);
    expect(hurdles.map(({ pace, isCounted }) => [pace.name, isCounted])).toEqual([
      ['new-orders', false],
      ['registered-domain', false],
      ['requests', true],
      ['issuance', true],
    ]);
    // (90,000 - 300) × 36 s: a replacement leaves nothing to others.
    expect(hurdles[0]?.durationMs).toBe(89_700 * 36 * SECOND_MS);
  });

  test('costs each name one of its exact-set', () => {
    expect(replacement(fleet, PRESETS.letsencrypt)).toMatchObject({ leftOfExactSet: 4, withinMs: DAY_MS });
    expect(replacement(fleet, PRESETS.pebble)).not.toHaveProperty('leftOfExactSet');
  });
});
