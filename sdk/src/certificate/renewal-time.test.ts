/** When an appliance grows uneasy, and what time it takes for true. */
import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { expiringFromMs, helloAgainAfterMs } from './renewal-time.ts';
import { ServerTime } from './server-time.ts';

const DAY_MS = 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;
const quarter = { notBeforeMs: 0, notAfterMs: 90 * DAY_MS };

test('a certificate of 90 days is expiring for its last 15', () => {
  expect(expiringFromMs(quarter)).toBe(75 * DAY_MS);
});

test('as long as the certificate is good the broker’s word on the next hello holds', () => {
  expect(helloAgainAfterMs(6 * HOUR_MS, quarter, 10 * DAY_MS)).toBe(6 * HOUR_MS);
});

test('a broker that wants to be left alone for a month is asked when the certificate gets near its end', () => {
  expect(helloAgainAfterMs(30 * DAY_MS, quarter, 70 * DAY_MS)).toBe(5 * DAY_MS);
});

test('an expiring, expired or missing certificate makes the appliance ask every hour', () => {
  expect(helloAgainAfterMs(30 * DAY_MS, quarter, 80 * DAY_MS)).toBe(HOUR_MS);
  expect(helloAgainAfterMs(30 * DAY_MS, quarter, 100 * DAY_MS)).toBe(HOUR_MS);
  expect(helloAgainAfterMs(30 * DAY_MS, undefined, 0)).toBe(HOUR_MS);
});

test('hello is never later than asked, and the certificate never expires unasked', () => {
  assert(
    property(integer({ min: 1000, max: 30 * DAY_MS }), integer({ min: 0, max: 100 * DAY_MS }), (askedMs, nowMs) => {
      const againMs = helloAgainAfterMs(askedMs, quarter, nowMs);
      return againMs <= askedMs && (againMs <= HOUR_MS || nowMs + againMs <= expiringFromMs(quarter));
    }),
  );
});

test('a clock in 1970 is not plausible until the broker has told the time', async () => {
  const clock = new VirtualClock(0);
  const time = new ServerTime({ clock, floorMs: Date.UTC(2026, 0, 1) });
  expect(time.read()).toEqual({ nowMs: 0, isPlausible: false });
  time.learn(Date.UTC(2027, 0, 1));
  await clock.advance(DAY_MS);
  expect(time.read()).toEqual({ nowMs: Date.UTC(2027, 0, 2), isPlausible: true });
});

test('a broker whose clock is behind what is certainly past is not believed', () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  const time = new ServerTime({ clock, floorMs: Date.UTC(2026, 0, 1) });
  time.raiseFloor(Date.UTC(2026, 4, 1));
  time.learn(Date.UTC(2026, 3, 1));
  expect(time.nowMs()).toBe(clock.nowMs());
});
