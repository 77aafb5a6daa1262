import { expect, test } from 'vitest';
import { exampleResult, ONE_CERTIFIED } from '../example-result.ts';
import type { Fact } from '../fact.ts';
import { chartsOf } from './charts.ts';

const DAY_MS = 86_400_000;

test('every line has a figure for each instant, and instants grow', () => {
  for (const lengthMs of [1_000, DAY_MS, 400 * DAY_MS]) {
    for (const { xs, lines, range } of chartsOf(exampleResult({ facts: ONE_CERTIFIED, lengthMs }))) {
      expect(xs.length).toBeGreaterThan(1);
      expect(xs.every((x, index) => index === 0 || x > (xs[index - 1] ?? 0))).toBe(true);
      expect(range[1]).toBeGreaterThan(range[0]);
      for (const { values } of lines) expect(values).toHaveLength(xs.length);
    }
  }
});

test('margins that are all alike are one bar with room around it', () => {
  const renewals = Array.from({ length: 5 }, (_, index): Fact => {
    return { atMs: 1, kind: 'installed', appliance: 0, isFirst: false, waitedMs: 1, marginMs: 30 * DAY_MS + index };
  });
  const chart = chartsOf(exampleResult({ facts: renewals })).find(({ id }) => id === 'margins');
  expect(chart?.lines[0]?.values).toEqual([5]);
  expect(chart?.range[0]).toBeLessThan(29 * DAY_MS);
});

test('events are marked where they begin', () => {
  const facts: Fact[] = [
    { atMs: 1_000, kind: 'event', what: 'broker-kill', phase: 'begins' },
    { atMs: 9_000, kind: 'event', what: 'broker-kill', phase: 'ends' },
  ];
  expect(chartsOf(exampleResult({ facts }))[0]?.marks).toEqual([1_000]);
});
