import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Auditor } from './auditor.ts';
import { levelOf, refundOne, spendOne } from './token-bucket.ts';

const LIMIT = { burst: 3, periodMs: 3000 };

function spendMany(count: number, nowMs: number, fullAtMs = 0): number {
  let full = fullAtMs;
  for (let spent = 0; spent < count; spent += 1) full = spendOne(full, LIMIT, nowMs).fullAtMs;
  return full;
}

test('as many as the burst are let through at once, and the next waits for one token', () => {
  const full = spendMany(3, 10_000);
  expect(spendOne(full, LIMIT, 10_000)).toEqual({ isAllowed: false, fullAtMs: full, retryAfterMs: 1000 });
  expect(spendOne(full, LIMIT, 10_999).isAllowed).toBe(false);
  expect(spendOne(full, LIMIT, 11_000).isAllowed).toBe(true);
});

test('tokens come back evenly, and never more than the burst', () => {
  const full = spendMany(3, 0);
  expect([levelOf(full, LIMIT, 0), levelOf(full, LIMIT, 1500), levelOf(full, LIMIT, 9000)]).toEqual([0, 1.5, 3]);
  expect(spendOne(spendMany(3, 90_000, full), LIMIT, 90_000).isAllowed).toBe(false);
});

test('a refund gives one back and does not overfill', () => {
  const full = spendMany(3, 0);
  expect(levelOf(refundOne(full, LIMIT, 0), LIMIT, 0)).toBe(1);
  expect(levelOf(refundOne(0, LIMIT, 5000), LIMIT, 5000)).toBe(3);
});

test('a count other than the burst refills at its own pace', () => {
  const limit = { burst: 1152, periodMs: 86_400_000, count: 1 };
  expect(levelOf(spendOne(0, limit, 0).fullAtMs, limit, 43_200_000)).toBeCloseTo(1151.5);
});

test('whatever the sequence, the bucket lets no more through than the auditor counts', () => {
  const limits = fc.constantFrom(LIMIT, { burst: 300, periodMs: 10_800_000 }, { burst: 50, periodMs: 604_800_000 });
  const pauses = fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 300 });
  const property = fc.property(limits, pauses, (limit, pausesMs) => {
    const auditor = new Auditor();
    let nowMs = Date.UTC(2026, 10, 22);
    let full = 0;
    for (const pauseMs of pausesMs) {
      nowMs += pauseMs;
      const { isAllowed, fullAtMs } = spendOne(full, limit, nowMs);
      full = fullAtMs;
      if (isAllowed && auditor.isOverdrawn('newOrdersPerAccount', limit, 'key', nowMs)) return false;
    }
    return true;
  });
  expect(fc.check(property, { seed: 3, numRuns: 200 })).toMatchObject({ failed: false });
});

test('the auditor sees the one that was too many', () => {
  const auditor = new Auditor();
  const spend = (nowMs: number): boolean => auditor.isOverdrawn('newOrdersPerAccount', LIMIT, 'key', nowMs);
  expect([spend(0), spend(0), spend(0), spend(500)]).toEqual([false, false, false, true]);
});
