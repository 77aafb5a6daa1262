import { expect, test } from 'vitest';
import { day, duration, isoDate, measure, period, seconds, several } from './figures.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test.each([
  [0, '0s'],
  [0.5, '1ms'],
  [999, '999ms'],
  [40_000, '40s'],
  [61_000, '1min 1s'],
  [3 * HOUR_MS, '3h'],
  [37 * DAY_MS + 9 * HOUR_MS + 1, '37d 9h'],
  [DAY_MS - 1, '23h 59min'],
  [400 * DAY_MS, '1y 35d'],
  [3836 * 365 * DAY_MS, '3,836y'],
])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [3 * HOUR_MS, '3h'],
  [7 * DAY_MS, '7d'],
  [365 * DAY_MS, '365d'],
  [160 * HOUR_MS, '160h'],
  [1500, '1,500ms'],
])('a period of %d ms is %s', (ms, text) => {
  expect(period(ms)).toBe(text);
});

test.each([
  [0.017361, '0.0174'],
  [2.5, '2.5'],
  [99.96, '100'],
  [1500.4, '1,500'],
])('%d is measured as %s', (value, text) => {
  expect(measure(value)).toBe(text);
});

test('seconds are exact to the millisecond, and one is one', () => {
  expect([seconds(3_230_280_000), seconds(360), several(1, 'zone'), several(3, 'zone')]).toEqual([
    '3,230,280 s',
    '0.36 s',
    '1 zone',
    '3 zones',
  ]);
});

test('days are in UTC, and there is none after the year 9999', () => {
  const lastMs = Date.UTC(9999, 11, 31);
  expect([day(Date.UTC(2027, 5, 1)), day(lastMs + 1), isoDate(lastMs + 1), day(9e15)]).toEqual([
    '2027-06-01',
    'never',
    null,
    'never',
  ]);
});
