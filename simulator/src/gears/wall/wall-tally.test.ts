import { expect, test } from 'vitest';
import type { Happening } from '../../world/happening.ts';
import { WallTally } from './wall-tally.ts';

const START_MS = 1_000_000;

function tallyOf(happenings: readonly Happening[]): WallTally {
  const tally = new WallTally({ appliances: 2, startMs: START_MS });
  for (const happening of happenings) tally.note(happening);
  return tally;
}

function at(seconds: number): { readonly atMs: number } {
  return { atMs: START_MS + seconds * 1000 };
}

const both = (seconds: number): readonly Happening[] =>
  [0, 1].flatMap((appliance) => [
    { kind: 'powered', appliance, isOn: true, why: 'arrival', ...at(seconds) },
    { kind: 'connected', appliance, ...at(seconds) },
  ]);
const away = (seconds: number, what: 'stopped' | 'killed'): readonly Happening[] => [
  { kind: 'broker', what, ...at(seconds) },
  { kind: 'disconnected', appliance: 0, why: '', ...at(seconds) },
  { kind: 'disconnected', appliance: 1, why: '', ...at(seconds) },
];

test('a recovery lasts until everybody is connected again', () => {
  const tally = tallyOf([
    ...both(0),
    ...away(10, 'killed'),
    { kind: 'broker', what: 'started', ...at(14) },
    { kind: 'connected', appliance: 1, ...at(15) },
    { kind: 'connected', appliance: 0, ...at(17) },
  ]);

  expect(tally.recoveries).toEqual([{ what: 'killed', atMs: 10_000, awayMs: 4_000, backMs: 3_000 }]);
});

test('a recovery that the next outage cut short is told, and so is one that never came', () => {
  const tally = tallyOf([
    ...both(0),
    ...away(10, 'killed'),
    { kind: 'broker', what: 'started', ...at(14) },
    ...away(15, 'stopped'),
    { kind: 'broker', what: 'started', ...at(18) },
  ]);

  expect(tally.recoveries).toEqual([
    { what: 'killed', atMs: 10_000, awayMs: 4_000 },
    { what: 'stopped', atMs: 15_000, awayMs: 3_000 },
  ]);
});

test('certificates count once an appliance, connections as often as they come', () => {
  const installed = { kind: 'installed', appliance: 0, notAfterMs: 0, waitedMs: 3_000 } as const;
  const tally = tallyOf([
    ...both(0),
    { ...installed, isFirst: true, ...at(3) },
    { ...installed, isFirst: false, ...at(5) },
    { kind: 'disconnected', appliance: 0, why: '', ...at(6) },
    { kind: 'connected', appliance: 0, ...at(7) },
  ]);

  expect(tally).toMatchObject({ on: 2, connected: 2, certified: 1, peakConnected: 2 });
  expect(tally.waits()).toMatchObject({ count: 1, max: 3_000 });
  expect(tally.connectsPerSecond()).toEqual({ peak: 2, mean: 1.5 });
});
