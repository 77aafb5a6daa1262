import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOST_INTERVALS, Timeline } from './timeline.ts';

const DAY_MS = 86_400_000;
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

test('a run of 400 days is told day by day, its last instant included', () => {
  const timeline = new Timeline(0, 400 * DAY_MS);
  const flow = timeline.flow();
  timeline.moveTo(400 * DAY_MS);
  flow.add(1);
  expect(timeline.widthMs).toBe(DAY_MS);
  expect(flow.perInterval).toHaveLength(MOST_INTERVALS);
  expect(flow.perInterval.at(-1)).toBe(1);
});

test('a run of unknown length is told in fewer and longer intervals, and nothing gets lost', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 3 * DAY_MS }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(steps, (delays) => {
      const timeline = new Timeline(1_000);
      const [flow, gauge] = [timeline.flow(), timeline.gauge()];
      let nowMs = 1_000;
      let [lowest, highest] = [0, 0];
      for (const [index, delayMs] of delays.entries()) {
        timeline.moveTo((nowMs += delayMs));
        flow.add(1);
        gauge.set(index % 7);
        lowest = Math.min(lowest, index % 7);
        highest = Math.max(highest, index % 7);
      }
      expect(sumOf(flow.perInterval)).toBe(delays.length);
      expect(flow.perInterval.length).toBeLessThanOrEqual(MOST_INTERVALS);
      expect(gauge.lasts.at(-1)).toBe(gauge.now);
      expect([Math.min(...gauge.lows), Math.max(...gauge.highs)]).toEqual([lowest, highest]);
      expect(gauge.lasts).toHaveLength(flow.perInterval.length);
      expect((flow.perInterval.length - 1) * timeline.widthMs).toBeLessThanOrEqual(timeline.elapsedMs);
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('what stays as it is, is so in every interval', () => {
  const timeline = new Timeline(0, 400_000);
  const gauge = timeline.gauge();
  gauge.set(5);
  timeline.moveTo(3_500);
  expect(gauge.lasts).toEqual([5, 5, 5, 5]);
  expect(gauge.lows).toEqual([0, 5, 5, 5]);
});

test('a dip within an interval stays visible, also when intervals are joined', () => {
  const timeline = new Timeline(0);
  const gauge = timeline.gauge(100);
  timeline.moveTo(50_000);
  gauge.set(3);
  gauge.set(100);
  timeline.moveTo(DAY_MS);
  expect(gauge.lasts.every((value) => value === 100)).toBe(true);
  expect(Math.min(...gauge.lows)).toBe(3);
});

test('what comes late counts to the interval that it is by then', () => {
  const timeline = new Timeline(0, 400_000);
  const flow = timeline.flow();
  timeline.moveTo(2_000);
  timeline.moveTo(500);
  flow.add(1);
  expect(flow.perInterval).toEqual([0, 0, 1]);
});
