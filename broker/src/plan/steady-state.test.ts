import { describe, expect, test } from 'vitest';
import { PRESETS } from '../certificates/budget/presets.ts';
import { changesAfter, lifetimesFrom } from './lifetimes.ts';
import type { Profile } from './lifetimes.ts';
import { rollOut } from './roll-out.ts';
import { steadyState } from './steady-state.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const day = (text: string): number => Date.parse(text);

describe('lifetimes', () => {
  test.each([
    [
      'classic',
      '2026-11-23',
      [
        ['2026-11-23', 90 * 24],
        ['2027-02-10', 64 * 24],
        ['2028-02-16', 45 * 24],
      ],
    ],
    [
      'classic',
      '2027-02-10',
      [
        ['2027-02-10', 64 * 24],
        ['2028-02-16', 45 * 24],
      ],
    ],
    ['classic', '2030-01-01', [['2030-01-01', 45 * 24]]],
    [
      'tlsserver',
      '2026-05-12',
      [
        ['2026-05-12', 90 * 24],
        ['2026-05-13', 45 * 24],
      ],
    ],
    ['tlsserver', '2026-11-23', [['2026-11-23', 45 * 24]]],
    ['shortlived', '2026-11-23', [['2026-11-23', 160]]],
    ['shortlived', '2000-01-01', [['2000-01-01', 160]]],
  ] as const satisfies readonly (readonly [Profile, string, readonly (readonly [string, number])[]])[])(
    'of %s from %s',
    (profile, from, expected) => {
      const found = lifetimesFrom(profile, day(from));
      expect(found).toEqual(expected.map(([date, hours]) => ({ fromMs: day(date), lifetimeMs: hours * HOUR_MS })));
    },
  );

  test('what is announced comes in order, and what has happened is left out', () => {
    expect(
      changesAfter(day('2027-02-10')).map(({ fromMs, of }) => [new Date(fromMs).toISOString().slice(0, 10), of]),
    ).toEqual([
      ['2027-03-15', 'every CA'],
      ['2028-02-16', 'classic'],
      ['2029-03-15', 'every CA'],
    ]);
  });
});

describe('the load of renewals', () => {
  const fleet = { appliances: 90_000, zones: 1, isPublicSuffix: true };
  const stateWith = (lifetimeMs: number): ReturnType<typeof steadyState> =>
    steadyState(fleet, { fromMs: 0, lifetimeMs }, rollOut(fleet, PRESETS.letsencrypt));

  test.each([
    [90 * DAY_MS, 60 * DAY_MS, 1500, 43.2],
    [45 * DAY_MS, 30 * DAY_MS, 3000, 21.6],
    [10 * DAY_MS, (20 / 3) * DAY_MS, 13_500, 4.8],
    // Under ten days: half its life.
    [160 * HOUR_MS, 80 * HOUR_MS, 27_000, 3.2],
  ])('of a lifetime of %d ms', (lifetimeMs, renewedAfterMs, perDay, windowHours) => {
    const state = stateWith(lifetimeMs);
    expect(state.renewedAfterMs).toBe(renewedAfterMs);
    expect(state.renewalsPerDay).toBeCloseTo(perDay, 6);
    expect(state.renewalsPerHour * 24).toBeCloseTo(perDay, 6);
    expect(state.ordersPerSecond * 86_400).toBeCloseTo(perDay, 6);
    expect(state.windowMs / HOUR_MS).toBeCloseTo(windowHours, 6);
    expect(state.pollsPerSecond).toBeCloseTo(90_000 / 21_600, 6);
  });

  test('peaks where the roll-out was densest: its burst, and what came back within one window', () => {
    // 270 + 155,520 s / 36 s; the roll-out takes 37 days, less than the 60 after which certificates come back.
    expect(stateWith(90 * DAY_MS).peak.certificates).toBe(270 + 4320);
  });

  test('of a roll-out that takes longer than a certificate lives, generations add up', () => {
    // 45 days live 30 days; day 30 of the roll-out falls on the first renewals: 270 + 2,160, and 2,160 more.
    expect(stateWith(45 * DAY_MS).peak.certificates).toBe(270 + 2160 + 2160);
  });

  test.each([160 * HOUR_MS, 45 * DAY_MS, 64 * DAY_MS, 90 * DAY_MS])(
    'no peak is below the mean: %d ms',
    (lifetimeMs) => {
      const unlisted = { ...fleet, isPublicSuffix: false };
      const state = steadyState(unlisted, { fromMs: 0, lifetimeMs }, rollOut(unlisted, PRESETS.letsencrypt));
      expect(state.peak.ordersPerSecond).toBeGreaterThanOrEqual(state.ordersPerSecond * 0.999);
    },
  );
});
