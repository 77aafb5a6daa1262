import { expect, test } from 'vitest';
import { parseTimestamp } from './timestamp.ts';

const NOON_MS = Date.UTC(2026, 10, 23, 12);

test.each([
  ['in UTC', '2026-11-23T12:00:00Z', NOON_MS],
  ['with an offset', '2026-11-23T14:30:00+02:30', NOON_MS],
  ['behind UTC', '2026-11-23T04:00:00-08:00', NOON_MS],
  ['with a fraction', '2026-11-23T12:00:00.250Z', NOON_MS + 250],
  ['with nanoseconds, as Go writes them', '2026-11-23T12:00:00.250999999Z', NOON_MS + 250],
  ['in small letters', '2026-11-23t12:00:00z', NOON_MS],
  ['with a space, as RFC 3339 allows', '2026-11-23 12:00:00Z', NOON_MS],
  ['on a leap day', '2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ['at the end of the calendar', '9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ['at the beginning of the epoch', '1970-01-01T00:00:00Z', 0],
  ['before it', '1969-12-31T23:59:59Z', undefined],
  ['without a time zone', '2026-11-23T12:00:00', undefined],
  ['without seconds', '2026-11-23T12:00Z', undefined],
  ['without a time', '2026-11-23', undefined],
  ['on no day', '2026-02-30T12:00:00Z', undefined],
  ['on the leap day of another year', '2026-02-29T12:00:00Z', undefined],
  ['in no month', '2026-13-01T12:00:00Z', undefined],
  ['at no hour', '2026-11-23T24:00:00Z', undefined],
  ['in no zone', '2026-11-23T12:00:00+24:00', undefined],
  ['in a year of five digits', '+12026-11-23T12:00:00Z', undefined],
  ['as a header has it', 'Mon, 23 Nov 2026 12:00:00 GMT', undefined],
  ['as a number', NOON_MS, undefined],
  ['with something behind', '2026-11-23T12:00:00Z\n', undefined],
  ['not at all', undefined, undefined],
])('an instant %s', (_, text, expected) => {
  expect(parseTimestamp(text)).toBe(expected);
});
