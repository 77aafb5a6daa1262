import { VirtualBroker } from '@lanyard/broker/virtual';
import dnsPacket from 'dns-packet';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import { beforeEach, expect, test, vi } from 'vitest';
import { LookupFailure } from '../../world/authority/resolver.ts';
import type { Resolver } from '../../world/authority/resolver.ts';
import { packetResolver } from './packet-resolver.ts';
import { busyRun } from './test-busy-run.ts';

const NAME = '_acme-challenge.xi8qz.devices.test';

let clock: VirtualClock;
let asked: string[];
let resolver: Resolver;
/** What the name server does with a query; undefined: its process is down. */
let answer: ((query: Buffer) => Buffer | undefined) | undefined;

beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
  answer = (query) => {
    const { id = 0, questions = [] } = dnsPacket.decode(query);
    const [{ name } = { name: '' }] = questions;
    asked.push(name);
    const answers = [{ type: 'TXT', name, ttl: 60, data: 'token' }] as const;
    return dnsPacket.encode({
      type: 'response',
      id,
      flags: dnsPacket.AUTHORITATIVE_ANSWER,
      questions,
      answers: [...answers],
    });
  };
  const nameServer = () => (answer === undefined ? undefined : { answer });
  resolver = packetResolver({ clock, random: seededRandom(3), zone: 'devices.test', nameServer });
});

test('asks in mixed case, and an answer takes its time', async () => {
  const found = resolver.txt(NAME, new AbortController().signal);
  const outcome = found.then((values) => ({ values, atMs: clock.monotonicMs() }));
  await clock.advance(1_000);
  const { values, atMs } = await outcome;
  expect(values).toEqual(['token']);
  expect(atMs).toBeGreaterThanOrEqual(5);
  expect(asked[0]!.toLowerCase()).toBe(NAME);
  expect(asked[0]).toMatch(/[A-Z].*[a-z]|[a-z].*[A-Z]/);
});

test.each([
  ['is down', undefined],
  ['drops the query', (): undefined => undefined],
])('gives up on virtual time while the name server %s', async (_, silent) => {
  answer = silent;
  const failed = resolver.txt(NAME, new AbortController().signal).catch((error: unknown) => error);
  await clock.advance(6_000);
  const error = await failed;
  expect(error).toBeInstanceOf(LookupFailure);
  expect(error).toMatchObject({ outcome: 'query timed out' });
  expect(clock.nextTimerMs()).toBeUndefined();
});

test('an abandoned question leaves no timer', async () => {
  const controller = new AbortController();
  const failed = resolver.txt(NAME, controller.signal).catch((error: unknown) => error);
  controller.abort(new Error('enough'));
  expect(await failed).toEqual(new Error('enough'));
  expect(clock.nextTimerMs()).toBeUndefined();
});

test('in a run six vantage points ask the broker’s own name server, and fewer when the scenario says so', async () => {
  const answering = vi.spyOn(VirtualBroker.prototype, 'answer');
  const wish = { crypto: 'pooled', appliances: 1, days: 2 } as const;
  const quiet = { events: [], weather: {} };
  await busyRun({ ...wish, more: quiet });
  const six = answering.mock.calls.length;
  await busyRun({ ...wish, more: { ...quiet, authority: { perspectives: 2 } } });
  const two = answering.mock.calls.length - six;
  answering.mockRestore();
  // One TXT, and CAA for the name and for its zone.
  expect([six, two]).toEqual([6 * 3, 2 * 3]);
});
