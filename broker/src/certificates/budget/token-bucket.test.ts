import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bucket, BucketChange } from './bucket.ts';
import type { RateLimit } from './rate-limit.ts';
import { changed, emptyUntil, freeAtMs, spent, tokensAt } from './token-bucket.ts';

const NOW_MS = 1_700_000_000_000;
/** One token comes back every 10 s. */
const limit: RateLimit = { burst: 3, periodMs: 30_000 };
const bucket: Bucket = { authority: 'ca', limit: 'new-orders', subject: '' };

function emptied(tokens: number): number | undefined {
  let level: number | undefined;
  for (let taken = 0; taken < tokens; taken++) level = spent(level, limit, NOW_MS);
  return level;
}

describe('when so many are free', () => {
  const TABLE = [
    { taken: 0, need: 1, leaving: 0, waitMs: 0 },
    { taken: 0, need: 3, leaving: 0, waitMs: 0 },
    { taken: 0, need: 4, leaving: 0, waitMs: Infinity },
    { taken: 2, need: 1, leaving: 0, waitMs: 0 },
    { taken: 2, need: 2, leaving: 0, waitMs: 10_000 },
    { taken: 2, need: 1, leaving: 1, waitMs: 10_000 },
    { taken: 3, need: 1, leaving: 0, waitMs: 10_000 },
    { taken: 3, need: 1, leaving: 2, waitMs: 30_000 },
    { taken: 3, need: 3, leaving: 0, waitMs: 30_000 },
    // What stays is capped: a full bucket always gives what is needed.
    { taken: 0, need: 1, leaving: 3, waitMs: 0 },
    { taken: 1, need: 1, leaving: 9, waitMs: 10_000 },
    { taken: 5, need: 1, leaving: 0, waitMs: 30_000 },
  ];
  for (const { taken, need, leaving, waitMs } of TABLE) {
    test(`${taken} of 3 taken: ${need} while ${leaving} stay are free after ${waitMs} ms`, () => {
      expect(freeAtMs(emptied(taken), limit, NOW_MS, { need, leaving })).toBe(NOW_MS + waitMs);
    });
  }

  test('one is needed unless said otherwise, and a level of the past is a full bucket', () => {
    expect(freeAtMs(NOW_MS + 30_000, limit, NOW_MS)).toBe(NOW_MS + 10_000);
    expect(freeAtMs(NOW_MS - 1, limit, NOW_MS, { need: 3 })).toBe(NOW_MS);
  });
});

test('fewer come back in a period than there are at once, when the CA says so', () => {
  const slow: RateLimit = { burst: 1_152, periodMs: 86_400_000, count: 1 };
  expect(spent(undefined, slow, NOW_MS)).toBe(NOW_MS + 86_400_000);
});

test('levels stay whole, and a token that would come back within a millisecond comes back after it', () => {
  expect(spent(undefined, { burst: 7, periodMs: 10_000 }, NOW_MS)).toBe(NOW_MS + 1_429);
  expect(spent(NOW_MS + 5, { burst: 30_000, periodMs: 1_000 }, NOW_MS)).toBe(NOW_MS + 6);
});

test('people see whole tokens, and none where there is a debt', () => {
  expect([0, 1, 2, 3, 5].map((taken) => tokensAt(emptied(taken), limit, NOW_MS))).toEqual([3, 2, 1, 0, 0]);
  expect(tokensAt(emptied(3), limit, NOW_MS + 9_999)).toBe(0);
  expect(tokensAt(emptied(3), limit, NOW_MS + 10_000)).toBe(1);
});

test('a change is applied to the level, and a refill forgets it', () => {
  const spend: BucketChange = { kind: 'spend', bucket, limit, atMs: NOW_MS };
  const empty: BucketChange = { kind: 'empty', bucket, limit, untilMs: NOW_MS + 60_000 };
  expect(changed(undefined, spend)).toBe(NOW_MS + 10_000);
  expect(changed(NOW_MS + 10_000, spend)).toBe(NOW_MS + 20_000);
  expect(changed(undefined, empty)).toBe(NOW_MS + 80_000);
  expect(changed(NOW_MS + 10_000, { kind: 'refill', bucket })).toBeUndefined();
});

const limits: fc.Arbitrary<RateLimit> = fc
  .record({ burst: fc.integer({ min: 1, max: 50 }), periodMs: fc.integer({ min: 1, max: 100_000 }), count: fc.nat(50) })
  .map(({ burst, periodMs, count }) => (count === 0 ? { burst, periodMs } : { burst, periodMs, count }));
const levels = fc.option(
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((offsetMs) => NOW_MS + offsetMs),
  {
    nil: undefined,
  },
);

test('no stretch of time sees more than the burst and what came back meanwhile', () => {
  fc.assert(
    fc.property(limits, levels, fc.array(fc.nat(20_000), { maxLength: 100 }), (each, start, gapsMs) => {
      const intervalMs = each.periodMs / (each.count ?? each.burst);
      const admitted: number[] = [];
      let level = start;
      let nowMs = NOW_MS;
      for (const gapMs of gapsMs) {
        // Short pauses too, or the bucket would never run dry.
        nowMs += gapMs % 3 === 0 ? gapMs : gapMs % 7;
        if (freeAtMs(level, each, nowMs) > nowMs) continue;
        admitted.push(nowMs);
        level = spent(level, each, nowMs);
      }
      const isOverdrawn = admitted.some((firstMs, from) =>
        admitted.slice(from).some((lastMs, more) => more + 1 > each.burst + (lastMs - firstMs) / intervalMs),
      );
      expect(isOverdrawn).toBe(false);
    }),
  );
});

test('whoever waits until it is free gets it then, and not a millisecond earlier', () => {
  fc.assert(
    fc.property(limits, levels, fc.nat(60), fc.nat(60), (each, level, more, leaving) => {
      const need = 1 + (more % each.burst);
      const wanted = Math.min(need + leaving, each.burst);
      const freeMs = freeAtMs(level, each, NOW_MS, { need, leaving });
      expect(freeAtMs(level, each, freeMs, { need, leaving })).toBe(freeMs);
      expect(tokensAt(level, each, freeMs)).toBeGreaterThanOrEqual(wanted);
      const isEarlier = freeMs > NOW_MS && tokensAt(level, each, freeMs - 1) >= wanted;
      expect(isEarlier).toBe(false);
    }),
  );
});

test('an emptied bucket gives one at the instant that the CA named, or later when it was emptier', () => {
  fc.assert(
    fc.property(limits, levels, fc.nat(1_000_000), (each, level, pauseMs) => {
      const untilMs = NOW_MS + pauseMs;
      const empty = emptyUntil(level, each, untilMs);
      expect(freeAtMs(emptyUntil(undefined, each, untilMs), each, NOW_MS)).toBe(untilMs);
      expect(freeAtMs(empty, each, NOW_MS)).toBe(Math.max(untilMs, freeAtMs(level, each, NOW_MS)));
      expect(empty).toBeGreaterThanOrEqual(level ?? 0);
      // One, and then the next an interval later.
      const next = freeAtMs(spent(emptyUntil(undefined, each, untilMs), each, untilMs), each, untilMs);
      expect(next).toBe(spent(undefined, each, untilMs));
    }),
  );
});
