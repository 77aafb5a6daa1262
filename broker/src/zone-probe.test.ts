import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import type { ChallengeRecord } from './certificates/challenge-board.ts';
import { ZoneProbe } from './zone-probe.ts';

const MINUTE_MS = 60_000;

const key = ({ name, value }: ChallengeRecord): string => `${name} ${value}`;

function bench() {
  const clock = new VirtualClock();
  const shown = new Set<string>();
  const zones = {
    put: async (record: ChallengeRecord) => void shown.add(key(record)),
    clear: async (record: ChallengeRecord) => void shown.delete(key(record)),
  };
  const world = { clock, random: seededRandom(1), log: silentLogger };
  return { clock, shown, probe: new ZoneProbe({ apex: 'devices.example.com', zones, ...world }) };
}

test('a record is shown for a minute', async () => {
  const { clock, shown, probe } = bench();
  const { name, value } = await probe.publish();
  expect(name).toMatch(/^_lanyard-doctor-[0-9a-f]{16}\.devices\.example\.com$/);
  expect([...shown]).toEqual([`${name} ${value}`]);
  await clock.advance(MINUTE_MS - 1);
  expect(shown.size).toBe(1);
  await clock.advance(1);
  expect(shown.size).toBe(0);
});

test('whoever asks meanwhile gets the same, and a minute more', async () => {
  const { clock, shown, probe } = bench();
  const first = await probe.publish();
  await clock.advance(MINUTE_MS / 2);
  expect(await probe.publish()).toEqual(first);
  await clock.advance(MINUTE_MS - 1);
  expect(shown.size).toBe(1);
  await clock.advance(1);
  expect(shown.size).toBe(0);
});

test('the next one has another name, which no resolver remembers', async () => {
  const { clock, probe } = bench();
  const first = await probe.publish();
  await clock.advance(MINUTE_MS);
  expect((await probe.publish()).name).not.toBe(first.name);
});

test('it goes with the broker', async () => {
  const { shown, probe } = bench();
  await probe.publish();
  await probe.stop();
  expect(shown.size).toBe(0);
});
