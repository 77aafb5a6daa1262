import { expect, test } from 'vitest';
import { bucketsOf, exactSetBucket, pauseOf } from './buckets.ts';
import { LIMIT_NAMES } from './rate-limit.ts';
import type { LimitName } from './rate-limit.ts';

const counted = {
  names: ['b.example.com', '*.b.example.com', 'b.example.com'],
  registeredDomains: ['example.com', 'example.com', 'example.com'],
};

const SUBJECTS: Readonly<Record<LimitName, readonly string[]>> = {
  'new-orders': [''],
  'registered-domain': ['example.com'],
  'exact-set': ['*.b.example.com,b.example.com'],
  'failed-authorizations': ['b.example.com', '*.b.example.com'],
  'consecutive-failures': ['b.example.com', '*.b.example.com'],
};

test.for(LIMIT_NAMES)('%s counts by its subjects, each of them once', (limit) => {
  const expected = SUBJECTS[limit].map((subject) => ({ authority: 'ca', limit, subject }));
  expect(bucketsOf('ca', limit, counted)).toEqual(expected);
});

test('names are one set whatever their order', () => {
  expect(exactSetBucket('ca', ['a', 'b'])).toEqual(exactSetBucket('ca', ['b', 'a']));
});

test('the pause belongs to the account itself', () => {
  expect(pauseOf('ca')).toEqual({ authority: 'ca', limit: 'pause', subject: '' });
});
