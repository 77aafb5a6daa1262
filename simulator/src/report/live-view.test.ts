import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { exampleMeasurements, ONE_CERTIFIED } from './example-result.ts';
import { LiveView } from './live-view.ts';

const HOUR_MS = 3_600_000;

function watch(isTTY: boolean, lengthMs?: number) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 120, rows: 30 });
  const clock = new VirtualClock();
  const measurements = exampleMeasurements({ facts: ONE_CERTIFIED });
  let snapshots = 0;
  const snapshot = () => {
    snapshots += 1;
    return measurements.snapshot();
  };
  const length = lengthMs === undefined ? {} : { lengthMs };
  const view = new LiveView({ stream, clock, snapshot, title: 'ramp', appliances: 2, ...length });
  const written = (): string => stripVTControlCharacters(String(stream.read() ?? ''));
  return { view, clock, measurements, written, snapshots: () => snapshots };
}

test('a terminal is drawn on at once, and four times a second at most', async () => {
  const { view, clock, written, snapshots } = watch(true, HOUR_MS);
  for (let ms = 0; ms < 1_000; ms += 10) {
    view.tick();
    await clock.advance(10);
  }
  expect(snapshots()).toBe(4);
  expect(written()).toContain('certified           1/2, 1 live, 1 connected');
});

test('the picture tells progress, pace, waits and problems', async () => {
  const { view, clock, measurements, written } = watch(true, HOUR_MS);
  view.tick();
  written();
  measurements.note({ atMs: HOUR_MS / 2, kind: 'problem', code: 'broker-unreachable' });
  measurements.note({ atMs: HOUR_MS / 2, kind: 'expired', appliance: 0 });
  await clock.advance(1_000);
  view.end();
  const picture = written();
  expect(picture).toContain('50 %  30m in 1.0s');
  expect(picture).toContain('p50 4s  p95 4s  p99 4s');
  expect(picture).toContain('broker-unreachable 1');
  expect(picture).toContain('1 expired without excuse');
  expect(picture).toContain('2 events/s');
});

test('without a terminal, a plain line tells of every tenth', async () => {
  const { view, clock, measurements, written } = watch(false, HOUR_MS);
  for (let share = 0; share < 1; share += 0.01) {
    measurements.passTo(share * HOUR_MS);
    view.tick();
    await clock.advance(300);
  }
  const lines = written().trimEnd().split('\n');
  expect(lines.map((line) => /^ramp (\d+) %/.exec(line)?.[1])).toEqual(
    ['10', '20', '30', '40', '50', '60', '70', '80', '90'].map((at) => expect.stringMatching(`^${at.at(0)}[01]$`)),
  );
});

test('without a terminal, one line in ten seconds shows that it still runs', async () => {
  const { view, clock, written } = watch(false, 1e12);
  for (let second = 0; second <= 30; second++) {
    view.tick();
    await clock.advance(1_000);
  }
  const lines = written().trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe('ramp 0 %, 4s in 10.0s, 1/2 certified, 1 connected, time to certificate 4s (p99 4s)');
});

test('a run of unknown length is as far as its certificates', () => {
  const { view, written } = watch(false);
  view.end();
  expect(written()).toMatch(/^ramp 50 %/);
});
