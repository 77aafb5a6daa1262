import { describe, expect, test } from 'vitest';
import type { OrderPurpose } from '../order.ts';
import { PRIORITIES } from './lanes.ts';
import type { Priority } from './lanes.ts';
import { isUrgentAtMs, leavingOf, priorityOf } from './priority.ts';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

function renewal(leftMs: number): OrderPurpose {
  return { kind: 'renewal', expiresAtMs: NOW_MS + leftMs };
}

function replacement(leftMs: number): OrderPurpose {
  return { kind: 'replacement', expiresAtMs: NOW_MS + leftMs };
}

describe('how urgent an order is', () => {
  const cases: readonly (readonly [string, OrderPurpose | undefined, Priority])[] = [
    ['an order of an older version', undefined, 'first'],
    ['a first certificate', { kind: 'first' }, 'first'],
    ['a re-enrolment', { kind: 're-enrolment' }, 're-enrolment'],
    ['a renewal with 30 days left', renewal(720 * HOUR_MS), 'renewal'],
    ['a renewal with 48 hours left', renewal(48 * HOUR_MS), 'renewal'],
    ['a renewal with less than 48 hours left', renewal(48 * HOUR_MS - 1), 'expiring-soon'],
    ['a renewal that comes too late', renewal(-HOUR_MS), 'expiring-soon'],
    ['a replacement with 48 hours left', replacement(48 * HOUR_MS), 'replacement'],
    ['a replacement with less than 48 hours left', replacement(48 * HOUR_MS - 1), 'expiring-soon'],
  ];
  for (const [what, purpose, expected] of cases) {
    test(`${what}: ${expected}`, () => expect(priorityOf(purpose, NOW_MS)).toBe(expected));
  }
});

describe('the instant at which an order becomes urgent', () => {
  for (const purpose of [renewal(720 * HOUR_MS), replacement(720 * HOUR_MS), renewal(HOUR_MS)]) {
    test(`${purpose.kind}: the class changes exactly then`, () => {
      const urgentAtMs = isUrgentAtMs(purpose) ?? Number.NaN;
      expect(priorityOf(purpose, urgentAtMs - 1)).toBe(purpose.kind);
      expect(priorityOf(purpose, urgentAtMs)).toBe('expiring-soon');
    });
  }

  test('what has no working certificate to lose never becomes urgent', () => {
    expect(isUrgentAtMs(undefined)).toBeUndefined();
    expect(isUrgentAtMs({ kind: 'first' })).toBeUndefined();
    expect(isUrgentAtMs({ kind: 're-enrolment' })).toBeUndefined();
  });
});

test('the less urgent leave the more', () => {
  expect(PRIORITIES.map(leavingOf)).toEqual([0, 0, 0, 0.1, 0.2]);
});
