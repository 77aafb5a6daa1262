import { describe, expect, test } from 'vitest';
import type { BucketChange } from './bucket.ts';
import { bucketsOf, domainBucket, pauseOf } from './buckets.ts';
import { chargesOfFailedValidation, chargesOfIssue, chargesOfLostOrder, chargesOfRefusal } from './charges.ts';
import type { Placement } from './placement.ts';
import { termsOf } from './presets.ts';
import { changed, freeAtMs } from './token-bucket.ts';

const NOW_MS = 1_700_000_000_000;
const NAMES = ['b.example.com', '*.a.example.com'];
const DOMAINS = ['example.com', 'example.com'];

const terms = termsOf({ preset: 'letsencrypt', id: 'ca' });
const unlimited = termsOf({ preset: 'custom', id: 'ca' });
const counted = { names: NAMES, registeredDomains: DOMAINS };

function placed(kind: Placement['kind']): Placement {
  return { authority: 'ca', kind };
}

/** As one reads it: what, of which limit, counted by what. */
function told(changes: readonly BucketChange[]): readonly string[] {
  return changes.map(({ kind, bucket }) => `${kind} ${bucket.limit} ${bucket.subject}`.trim());
}

const REFILLS = ['refill consecutive-failures b.example.com', 'refill consecutive-failures *.a.example.com'];
const EXACT_SET = 'spend exact-set *.a.example.com,b.example.com';

describe('an issued certificate', () => {
  const TABLE: readonly (readonly [Placement['kind'], readonly string[]])[] = [
    ['new', [EXACT_SET, 'spend registered-domain example.com', ...REFILLS]],
    ['renewal', [EXACT_SET, ...REFILLS]],
    ['replacement', [EXACT_SET, ...REFILLS]],
  ];
  for (const [kind, changes] of TABLE) {
    test(`that is ${kind} is booked where the CA books it, and forgives failures`, () => {
      expect(told(chargesOfIssue(terms, placed(kind), NAMES, DOMAINS, NOW_MS))).toEqual(changes);
    });
  }

  test('is booked with the limit and the instant', () => {
    const [first] = chargesOfIssue(terms, placed('renewal'), NAMES, DOMAINS, NOW_MS);
    expect(first).toMatchObject({ limit: terms.limits['exact-set'], atMs: NOW_MS, bucket: { authority: 'ca' } });
  });

  test('is booked once for each of several registered domains', () => {
    const changes = told(chargesOfIssue(terms, placed('new'), NAMES, ['example.com', 'example.org'], NOW_MS));
    expect(changes).toContain('spend registered-domain example.com');
    expect(changes).toContain('spend registered-domain example.org');
  });

  test('costs nothing where nothing is limited', () => {
    expect(chargesOfIssue(unlimited, placed('new'), NAMES, DOMAINS, NOW_MS)).toEqual([]);
  });
});

test('a failed validation is counted twice for each name: by the hour, and in a row', () => {
  expect(told(chargesOfFailedValidation(terms, NAMES, NOW_MS))).toEqual([
    'spend failed-authorizations b.example.com',
    'spend failed-authorizations *.a.example.com',
    'spend consecutive-failures b.example.com',
    'spend consecutive-failures *.a.example.com',
  ]);
  expect(chargesOfFailedValidation(unlimited, NAMES, NOW_MS)).toEqual([]);
});

describe('a refusal by a limit', () => {
  const untilMs = NOW_MS + 3_600_000;

  for (const limit of [
    'new-orders',
    'registered-domain',
    'exact-set',
    'failed-authorizations',
    'consecutive-failures',
  ] as const) {
    test(`${limit} empties every bucket of it that the order counts in until the CA’s instant`, () => {
      const changes = chargesOfRefusal(terms, limit, counted, untilMs);
      expect(changes.map(({ bucket }) => bucket)).toEqual(bucketsOf('ca', limit, counted));
      for (const change of changes)
        expect(freeAtMs(changed(undefined, change), terms.limits[limit]!, NOW_MS)).toBe(untilMs);
    });
  }

  test('that is not named, or that is not among the terms, pauses the account until the CA’s instant', () => {
    for (const changes of [
      chargesOfRefusal(terms, undefined, counted, untilMs),
      chargesOfRefusal(unlimited, 'new-orders', counted, untilMs),
    ]) {
      expect(changes.map(({ kind, bucket }) => ({ kind, bucket }))).toEqual([{ kind: 'empty', bucket: pauseOf('ca') }]);
      expect(changed(undefined, changes[0]!)).toBe(untilMs);
      // A shorter one does not cut it short.
      expect(changed(untilMs + 1, changes[0]!)).toBe(untilMs + 1);
    }
  });
});

test('an order whose end is not known keeps the place that it held', () => {
  const holds = domainBucket('ca', 'example.com');
  const limit = terms.limits['registered-domain'];
  expect(chargesOfLostOrder(terms, { ...placed('new'), holds }, NOW_MS)).toEqual([
    { kind: 'spend', bucket: holds, limit, atMs: NOW_MS },
  ]);
  expect(chargesOfLostOrder(terms, placed('renewal'), NOW_MS)).toEqual([]);
  expect(chargesOfLostOrder(unlimited, { ...placed('new'), holds }, NOW_MS)).toEqual([]);
});
