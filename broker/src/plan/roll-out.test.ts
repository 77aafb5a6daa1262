import { seededRandom } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import { PRESETS } from '../certificates/budget/presets.ts';
import type { RateLimit } from '../certificates/budget/rate-limit.ts';
import { burstForFirst, certifiedBy, rollOut } from './roll-out.ts';
import type { Fleet, PlanTerms, RollOut } from './roll-out.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

function fleet(appliances: number, changes: Partial<Fleet> = {}): Fleet {
  return { appliances, zones: 1, isPublicSuffix: false, ...changes };
}

function raised(limits: PlanTerms['limits']): PlanTerms {
  return { ...PRESETS.letsencrypt, limits: { ...PRESETS.letsencrypt.limits, ...limits } };
}

const NEW_ORDERS_30000: RateLimit = { burst: 30_000, periodMs: 3 * HOUR_MS };
const DOMAIN_5000: RateLimit = { burst: 5000, periodMs: 7 * DAY_MS };

describe('how long a roll-out takes at Let’s Encrypt', () => {
  test.each([
    // (90,000 - 50) × 12,096 s
    ['without anything', fleet(90_000), PRESETS.letsencrypt, 'registered-domain', 89_950 * 12_096 * SECOND_MS],
    // (90,000 - 270) × 36 s
    ['listed', fleet(90_000, { isPublicSuffix: true }), PRESETS.letsencrypt, 'new-orders', 89_730 * 36 * SECOND_MS],
    // (30,000 - 50) × 12,096 s
    [
      'in three zones',
      fleet(90_000, { zones: 3 }),
      PRESETS.letsencrypt,
      'registered-domain',
      29_950 * 12_096 * SECOND_MS,
    ],
    // The fullest of seven zones has 15 of a hundred: (15 - 10) × 1 h.
    [
      'in zones that do not divide evenly',
      fleet(100, { zones: 7 }),
      raised({ 'registered-domain': { burst: 10, periodMs: 10 * HOUR_MS } }),
      'registered-domain',
      5 * HOUR_MS,
    ],
    // (90,000 - 5,000) × 120.96 s
    [
      'with both raised',
      fleet(90_000),
      raised({ 'new-orders': NEW_ORDERS_30000, 'registered-domain': DOMAIN_5000 }),
      'registered-domain',
      85_000 * 120_960,
    ],
    // (90,000 - 27,000) × 0.36 s
    [
      'with orders raised, listed',
      fleet(90_000, { isPublicSuffix: true }),
      raised({ 'new-orders': NEW_ORDERS_30000 }),
      'new-orders',
      63_000 * 360,
    ],
    // 50 / 15 s
    ['within the burst', fleet(50), PRESETS.letsencrypt, 'issuance', 3333],
    // One bucket gives back another number than its burst.
    [
      'where fewer come back than go at once',
      fleet(110),
      raised({ 'registered-domain': { burst: 100, periodMs: DAY_MS, count: 5 } }),
      'registered-domain',
      2 * DAY_MS,
    ],
  ] as const)('%s', (_, who, terms, binding, durationMs) => {
    expect(rollOut(who, terms)).toMatchObject({ binding, durationMs });
  });

  test('half, nine in ten and all of them, by the slowest bucket of each', () => {
    expect(rollOut(fleet(400), PRESETS.letsencrypt).milestones).toEqual([
      { share: 0.5, certificates: 200, afterMs: 150 * 12_096 * SECOND_MS },
      { share: 0.9, certificates: 360, afterMs: 310 * 12_096 * SECOND_MS },
      { share: 1, certificates: 400, afterMs: 350 * 12_096 * SECOND_MS },
    ]);
  });

  test('a CA without limits is as fast as the broker', () => {
    const { paces, binding, durationMs } = rollOut(fleet(90_000), PRESETS.pebble);
    expect([paces.map(({ name }) => name), binding, durationMs]).toEqual([['issuance'], 'issuance', 6000 * SECOND_MS]);
  });

  test('a tenth of new-orders is left to renewals, but a bucket of one is used', () => {
    expect([1, 2, 9, 10, 11, 300].map(burstForFirst)).toEqual([1, 1, 8, 9, 9, 270]);
  });
});

describe('how many are certified by then', () => {
  const who = fleet(90_000, { zones: 3 });
  const made = rollOut(who, PRESETS.letsencrypt);

  test.each([
    // Nothing is issued in no time, whatever the buckets have.
    [0, 0],
    [SECOND_MS, 15],
    [60 * SECOND_MS, 150],
    [12_096 * SECOND_MS, 153],
    [made.durationMs - 1, 89_997],
    [made.durationMs, 90_000],
    [made.durationMs * 2, 90_000],
  ])('after %d ms: %d', (elapsedMs, certificates) => {
    expect(certifiedBy(made, who, elapsedMs)).toBe(certificates);
  });
});

describe('a simulation of the buckets, one certificate after another', () => {
  const random = seededRandom(7);
  const between = (least: number, most: number): number => least + Math.floor(random.uniform() * (most - least + 1));
  const cases = Array.from({ length: 60 }, (_, index) => ({
    index,
    who: fleet(between(1, 900), { zones: between(1, 5), isPublicSuffix: random.uniform() < 0.2 }),
    terms: {
      limits: {
        'new-orders': { burst: between(2, 400), periodMs: between(1, 48) * HOUR_MS },
        'registered-domain': { burst: between(1, 200), periodMs: between(1, 14) * DAY_MS },
      },
      renewals: 'exempt',
    } satisfies PlanTerms,
  }));

  test.each(cases)('agrees within one interval: case $index', ({ who, terms }) => {
    const made = rollOut(who, terms);
    const doneMs = simulate(who, terms);
    expect(doneMs).toHaveLength(who.appliances);
    for (const { certificates, afterMs } of made.milestones) {
      expect(Math.abs((doneMs[certificates - 1] ?? Number.NaN) - afterMs)).toBeLessThanOrEqual(longestInterval(made));
    }
  });

  test('and would notice a bucket that is wrong by two', () => {
    const terms: PlanTerms = { limits: { 'new-orders': { burst: 20, periodMs: DAY_MS } }, renewals: 'exempt' };
    const less: PlanTerms = {
      limits: { 'new-orders': { burst: 18, periodMs: DAY_MS, count: 20 } },
      renewals: 'exempt',
    };
    const made = rollOut(fleet(100), terms);
    const late = (simulate(fleet(100), less).at(-1) ?? 0) - made.durationMs;
    expect(late).toBeGreaterThan(longestInterval(made));
  });
});

function longestInterval({ paces }: RollOut): number {
  return Math.max(...paces.map(({ periodMs, count }) => periodMs / count));
}

/** When each certificate is issued, in order. Buckets hold fractions of tokens: another way than instants of fullness. */
function simulate({ appliances, zones, isPublicSuffix }: Fleet, { limits }: PlanTerms): readonly number[] {
  const account = bucketOf(limits['new-orders'], 0.1);
  const domains = isPublicSuffix ? appliances : zones;
  const zonesToDo = Array.from({ length: domains }, (_, zone) => ({
    bucket: bucketOf(limits['registered-domain'], 0),
    left: Math.floor(appliances / domains) + (zone < appliances % domains ? 1 : 0),
  }));
  // The broker's own pace.
  const issuance = { tokens: 0, most: 1, perMs: 15 / 1000, reserve: 0 };
  const doneMs: number[] = [];
  let nowMs = 0;
  while (doneMs.length < appliances) {
    const open = zonesToDo.filter(({ left }) => left > 0);
    // The one that is furthest behind of those that may.
    const zone = open.toSorted((one, other) => waitOf(one.bucket) - waitOf(other.bucket) || other.left - one.left)[0]!;
    const waitMs = Math.max(waitOf(account), waitOf(issuance), waitOf(zone.bucket));
    for (const bucket of [account, issuance, ...open.map((one) => one.bucket)]) {
      bucket.tokens = Math.min(bucket.most, bucket.tokens + waitMs * bucket.perMs);
    }
    nowMs += waitMs;
    for (const bucket of [account, issuance, zone.bucket]) bucket.tokens -= 1;
    zone.left -= 1;
    doneMs.push(nowMs);
  }
  return doneMs;
}

interface TokenBucket {
  tokens: number;
  readonly most: number;
  readonly perMs: number;
  /** Tokens that stay in it. */
  readonly reserve: number;
}

function bucketOf(limit: RateLimit | undefined, left: number): TokenBucket {
  if (!limit) return { tokens: Infinity, most: Infinity, perMs: 1, reserve: 0 };
  const { burst, periodMs, count = burst } = limit;
  return {
    tokens: burst,
    most: burst,
    perMs: count / periodMs,
    reserve: burst - Math.max(1, Math.floor(burst * (1 - left))),
  };
}

function waitOf({ tokens, reserve, perMs }: TokenBucket): number {
  // What is missing by rounding is there.
  const missing = 1 + reserve - tokens;
  return missing < 1e-9 ? 0 : missing / perMs;
}
