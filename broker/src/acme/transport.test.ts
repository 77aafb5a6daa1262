import { LanyardError } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from './authority-rig.ts';
import { HostileCa } from './hostile-ca.ts';
import { AcmeTransport } from './transport.ts';

let ca: HostileCa;
let clock: VirtualClock;
let transport: AcmeTransport;
const never = new AbortController().signal;

beforeEach(async () => {
  ca = new HostileCa();
  clock = new VirtualClock();
  transport = new AcmeTransport({ clock });
  await ca.start();
  await transport.start();
});
afterEach(async () => {
  await transport.stop();
  await ca.stop();
});

const get = (path = '/directory', signal = never) => transport.send({ method: 'GET', url: ca.url(path) }, signal);

test('requests in a row share connections', async () => {
  for (let round = 0; round < 20; round += 1) await get();
  expect(ca.log).toHaveLength(20);
  // A connection is free again a moment after its answer was read, hence not always one.
  expect(ca.connections).toBeLessThanOrEqual(3);
});

test('requests at once use at most 16 connections', async () => {
  await Promise.all(Array.from({ length: 60 }, () => get()));
  expect(ca.log).toHaveLength(60);
  expect(ca.connections).toBeLessThanOrEqual(16);
});

test('more than 160 requests at once are turned away instead of piled up', async () => {
  ca.mischief = () => 'stall';
  const controller = new AbortController();
  const waiting = Array.from({ length: 160 }, () => get('/directory', controller.signal));
  await expect(get()).rejects.toMatchObject({ code: 'authority-unreachable' });
  controller.abort();
  await Promise.allSettled(waiting);
  ca.mischief = () => undefined;
  expect((await get()).status).toBe(200);
});

test('any status is an answer, and redirects are not followed', async () => {
  ca.mischief = () => ({ status: 302, headers: { location: '/elsewhere' }, body: 'over there' });
  expect(await get()).toMatchObject({ status: 302, location: ca.url('/elsewhere'), text: 'over there' });
  expect(ca.log).toEqual(['GET /directory']);
});

test('a Location that leads to an unsafe place is dropped', async () => {
  ca.mischief = () => ({ status: 201, headers: { location: 'http://10.1.1.4/' } });
  expect((await get()).location).toBeUndefined();
});

test('Retry-After counts from the clock', async () => {
  const date = new Date(clock.nowMs() + 90_000).toUTCString();
  ca.mischief = () => ({ status: 200, headers: { 'retry-after': date } });
  expect((await get()).retryAfterMs).toBe(90_000);
});

describe('an answer that is none is authority-unreachable', () => {
  test('when the connection is cut', async () => {
    ca.mischief = () => 'cut';
    await expect(get()).rejects.toMatchObject({ code: 'authority-unreachable' });
  });

  test('when nobody listens', async () => {
    await ca.stop();
    await expect(get()).rejects.toMatchObject({ code: 'authority-unreachable' });
  });

  test('when it takes longer than a minute in all', async () => {
    ca.mischief = () => 'stall';
    const stalled = ca.stalled();
    const sent = failure(get());
    await stalled;
    await clock.advance(60_000);
    expect(await sent).toMatchObject({ code: 'authority-unreachable' });
  });
});

test('an answer of more than a mebibyte is authority-protocol, and is not read to its end', async () => {
  ca.mischief = () => ({ status: 200, body: 'x'.repeat(8 * 1024 * 1024) });
  await expect(get()).rejects.toMatchObject({ code: 'authority-protocol' });
});

test('headers without end are authority-protocol', async () => {
  ca.mischief = () => ({ status: 200, headers: { 'x-filler': 'x'.repeat(64 * 1024) } });
  await expect(get()).rejects.toMatchObject({ code: 'authority-protocol' });
});

test('an unsafe URL is refused before anything is sent', async () => {
  const sent = transport.send({ method: 'GET', url: 'http://ca.example/directory' }, never);
  await expect(sent).rejects.toMatchObject({ code: 'authority-protocol' });
});

describe('a request is given up at once', () => {
  const reasons: readonly (readonly [string, unknown, string])[] = [
    ['with the error that the caller aborts with', new LanyardError('dns-serving-failed'), 'dns-serving-failed'],
    ['as unreachable when the caller’s time is up', new DOMException('late', 'TimeoutError'), 'authority-unreachable'],
    ['as stopped for any other reason', undefined, 'stopped'],
    ['as stopped even for a reason that is null', null, 'stopped'],
  ];
  test.each(reasons)('%s', async (_how, reason, code) => {
    ca.mischief = () => 'stall';
    const controller = new AbortController();
    const stalled = ca.stalled();
    const sent = failure(get('/directory', controller.signal));
    await stalled;
    controller.abort(reason);
    expect(await sent).toMatchObject({ code });
    await expect(get('/directory', controller.signal)).rejects.toMatchObject({ code });
  });

  test('when the transport stops', async () => {
    ca.mischief = () => 'stall';
    const stalled = ca.stalled();
    const sent = failure(get());
    await stalled;
    await transport.stop();
    expect(await sent).toMatchObject({ code: 'stopped' });
    await expect(get()).rejects.toMatchObject({ code: 'stopped' });
  });
});

test('every timer is released with its request', async () => {
  await get();
  ca.mischief = () => 'cut';
  await get().catch(() => undefined);
  expect(clock.nextTimerMs()).toBeUndefined();
});

test.each(['', 'not a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
  'extra roots that are none keep the transport from starting (%j)',
  async (extraRootsPem) => {
    const wrong = new AcmeTransport({ clock, extraRootsPem });
    await expect(wrong.start()).rejects.toMatchObject({ code: 'config-invalid' });
  },
);
