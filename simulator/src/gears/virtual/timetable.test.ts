import { expect, test } from 'vitest';
import { START_MS } from './virtual-world.ts';
import { busyRun } from './test-busy-run.ts';
import type { ScenarioInput } from '../../scenarios/scenario.ts';

const MINUTE_MS = 60_000;

test('an event comes at its time, again as often as it should, and ends when it lasts', async () => {
  const move = { at: '10m', every: '10m', times: 3, do: 'move' } as const;
  const times = await timesOf(move, { at: '1h', do: 'partition', for: '5m' });

  expect(times).toEqual(['move 10', 'move 20', 'move 30', 'partition 60', 'partition ends 65']);
});

test('events with jitter are late by a random part of it, and do not drift', async () => {
  const times = await timesOf({ at: '10m', every: '10m', times: 10, jitter: '10m', do: 'move' });

  const minutes = times.map((time) => Number(time.split(' ').at(-1)));
  const late = minutes.map((minute, index) => minute - (index + 1) * 10);
  expect(minutes).toHaveLength(10);
  expect(late.filter((minute) => minute < 0 || minute > 10)).toEqual([]);
  expect(new Set(late).size).toBeGreaterThan(3);
});

async function timesOf(...events: NonNullable<ScenarioInput['events']>): Promise<readonly string[]> {
  const { told } = await busyRun({ crypto: 'stub', appliances: 2, days: 0.2, more: { ...QUIET, events } });
  return told.flatMap((happening) => {
    if (happening.kind !== 'event') return [];
    const minute = Math.floor((happening.atMs - START_MS) / MINUTE_MS);
    return [`${happening.what}${happening.phase === 'ends' ? ' ends' : ''} ${minute}`];
  });
}

const QUIET: Partial<ScenarioInput> = { weather: {}, population: { arrivals: { shape: 'at-once' } } };
