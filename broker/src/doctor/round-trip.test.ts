import { systemClock } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { examineRoundTrip } from './round-trip.ts';
import { APEX, OURS, RESOLVER, SILENCE, SUBJECT, complaintsOf, record, reply, worldWith } from './test-world.ts';
import type { Deviation } from './test-world.ts';

/** Pauses take no time here. */
const clock: Clock = { ...systemClock, setTimer: (_, callback) => systemClock.setTimer(0, callback) };

const probe = { name: `_lanyard-doctor-1.${APEX}`, value: 'now' };
const shows = (value: string) => reply({ answers: [record(probe.name, 'TXT', value)] });

test.each<readonly [string, Deviation, readonly string[]]>([
  ['it arrives everywhere', () => shows('now'), []],
  [
    'the name server shows something else',
    ({ server }) => shows(server === OURS ? 'then' : 'now'),
    ['error round-trip'],
  ],
  ['the name server is silent', ({ server }) => (server === OURS ? SILENCE : shows('now')), ['error round-trip']],
  [
    'the resolver fails',
    ({ server }) => (server === RESOLVER ? reply({ rcode: 2 }) : shows('now')),
    ['error resolver'],
  ],
])('%s', async (_name, deviation, expected) => {
  expect(complaintsOf(await examineRoundTrip(probe, SUBJECT, { ask: worldWith(deviation), clock }))).toEqual(expected);
});

test('a secondary has a few seconds, and resolvers are asked after it only', async () => {
  const asked: string[] = [];
  const late: Deviation = ({ server }) => {
    asked.push(server);
    return asked.length < 3 ? reply({ rcode: 3 }) : shows('now');
  };
  expect(complaintsOf(await examineRoundTrip(probe, SUBJECT, { ask: worldWith(late), clock }))).toEqual([]);
  expect(asked).toEqual([OURS, OURS, OURS, RESOLVER]);
});
