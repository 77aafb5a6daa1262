import { expect, test } from 'vitest';
import { parseRetryAfter, readRetryAfter } from './retry-after.ts';

const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
const dayMs = 24 * 3_600_000;

test.each([
  ['seconds', '120', 120_000],
  ['seconds with spaces around', ' 5 ', 5_000],
  ['a date', 'Sun, 22 Nov 2026 12:01:30 GMT', 90_000],
  ['zero, raised to a second', '0', 1_000],
  ['a date in the past, raised to a second', 'Sun, 22 Nov 2020 12:00:00 GMT', 1_000],
  ['more than a week, lowered to a week', '31536000', 7 * dayMs],
  ['a number beyond all numbers, lowered to a week', '9'.repeat(400), 7 * dayMs],
  ['a date in a hundred years, lowered to a week', 'Sun, 22 Nov 2126 12:00:00 GMT', 7 * dayMs],
  ['no header', undefined, undefined],
  ['nothing', '', undefined],
  ['a negative number', '-5', undefined],
  ['a fraction', '1.5', undefined],
  ['words', 'soon', undefined],
  ['words that end like a date', 'tomorrow GMT', undefined],
  ['a date without a zone', 'Sun, 22 Nov 2026 12:01:30', undefined],
])('%s', (_what, header, expected) => {
  expect(parseRetryAfter(header, nowMs)).toBe(expected);
});

test.each([
  ['Boulder’s words', 'too many x, retry after 2026-11-22 12:01:30 UTC: see https://x', 90_000],
  ['its former words', 'too many x, retry after 2026-11-22T12:01:30Z: see https://x', 90_000],
  ['an instant in the past, raised to a second', 'retry after 2026-11-22 11:00:00 UTC', 1_000],
  ['an instant in a year, lowered to a week', 'retry after 2027-11-22 12:00:00 UTC', 7 * dayMs],
  ['no instant', 'too many x, retry later', undefined],
  ['an instant without a zone', 'retry after 2026-11-22 12:01:30', undefined],
  ['an instant of another zone', 'retry after 2026-11-22 12:01:30 CET', undefined],
  ['a day that is none', 'retry after 2026-02-30 12:01:30 UTC', undefined],
  ['nothing', '', undefined],
])('in a text: %s', (_what, detail, expected) => {
  expect(readRetryAfter(detail, nowMs)).toBe(expected);
});
