import { expect, test, vi } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { csrOf } from './authority-double.ts';
import { CertificateDesk } from './desk.ts';
import type { Issuance } from './issuance.ts';
import { DEVICE, KEY_HASH, NAME, World, requestFor } from './test-life.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NAMES = [NAME];
const nothing = { deviceId: DEVICE, names: NAMES, held: undefined, pendingKeyHash: undefined };

async function certified() {
  const world = new World();
  const life = world.live();
  await life.issuance.start();
  await life.desk.request(DEVICE, NAMES, csrOf(requestFor()));
  await world.clock.advance(MINUTE_MS);
  const [certificate] = life.issued;
  if (certificate === undefined) throw new Error('nothing was issued');
  return { ...life, clock: world.clock, certificate };
}

test('an appliance that is to do something and does not is told again within the hour', async () => {
  const { clock, live } = worldWithLive();
  const { desk } = live;
  const { todo, lookAgainAtMs } = await desk.advise(nothing);
  expect(todo).toEqual({ kind: 'request', reason: 'first' });
  expect(lookAgainAtMs).toBe(clock.nowMs() + HOUR_MS);
});

test('a certificate that is not acknowledged is handed over again after ten minutes', async () => {
  const { desk, clock, certificate } = await certified();
  const advice = await desk.advise({ ...nothing, pendingKeyHash: KEY_HASH });
  expect(advice).toEqual({
    todo: { kind: 'install', fingerprint: certificate.fingerprint },
    certificate,
    lookAgainAtMs: clock.nowMs() + 10 * MINUTE_MS,
  });
});

test('an appliance that holds its certificate is looked at again when the renewal is due, to the millisecond', async () => {
  const { desk, clock, certificate } = await certified();
  const held = { fingerprint: certificate.fingerprint, keyHash: KEY_HASH, notAfterMs: certificate.notAfterMs };
  const advice = await desk.advise({ ...nothing, held });
  expect(advice).toEqual({ todo: { kind: 'nothing' }, lookAgainAtMs: certificate.renewAtMs });
  await clock.advance(certificate.renewAtMs - clock.nowMs() - 1);
  expect((await desk.advise({ ...nothing, held })).todo).toEqual({ kind: 'nothing' });
  await clock.advance(1);
  expect((await desk.advise({ ...nothing, held })).todo).toEqual({ kind: 'request', reason: 'renewal' });
});

test('what an appliance says it holds counts as installed, since when it was first said', async () => {
  const { desk, clock, certificate } = await certified();
  const held = { fingerprint: certificate.fingerprint, keyHash: KEY_HASH, notAfterMs: certificate.notAfterMs };
  const saidAtMs = clock.nowMs();
  await desk.advise({ ...nothing, held });
  await clock.advance(HOUR_MS);
  await desk.installed(DEVICE, certificate.fingerprint);
  expect((await desk.dossier(DEVICE)).latestCertificate?.installedAtMs).toBe(saidAtMs);
});

test('a report of another certificate installs nothing', async () => {
  const { desk } = await certified();
  await desk.installed(DEVICE, 'fingerprint of another');
  await desk.advise({ ...nothing, held: { fingerprint: 'fingerprint of another', keyHash: 'k', notAfterMs: 0 } });
  expect((await desk.dossier(DEVICE)).latestCertificate?.installedAtMs).toBeUndefined();
});

test('a renewal can be asked for at any time, of an appliance that has something to renew', async () => {
  const { desk, certificate } = await certified();
  expect(await desk.renewNow(DEVICE)).toBe(true);
  expect(await desk.renewNow('appliance-2')).toBe(false);
  const held = { fingerprint: certificate.fingerprint, keyHash: KEY_HASH, notAfterMs: certificate.notAfterMs };
  expect((await desk.advise({ ...nothing, held })).todo).toEqual({ kind: 'request', reason: 'renewal' });
});

const WRONG_NAMES = {
  'another’s name': ['b.devices.example.com'],
  'a name more': [NAME, 'b.devices.example.com'],
  'its own name twice': [NAME, NAME],
  'the wildcard instead': [`*.${NAME}`],
  'the name of the zone': ['devices.example.com'],
  'no name': [],
} as const;

for (const [what, names] of Object.entries(WRONG_NAMES)) {
  test(`a request for ${what} is refused and changes nothing`, async () => {
    const { live, store } = worldWithLive();
    const csr = csrOf({ names, keyHash: KEY_HASH });
    await expect(live.desk.request(DEVICE, NAMES, csr)).rejects.toMatchObject({ code: 'csr-names' });
    expect(await store.orders.openOrders()).toEqual([]);
    const own = await live.desk.request(DEVICE, NAMES, csrOf(requestFor()));
    expect(own.kind).toBe('accepted');
  });
}

test('what is ordered is the appliance’s own name, as it is bound and not as the request spells it', async () => {
  const { live } = worldWithLive();
  const acceptance = await live.desk.request(DEVICE, NAMES, csrOf(requestFor()));
  expect(acceptance).toMatchObject({ kind: 'accepted', order: { names: NAMES, keyHash: KEY_HASH, deviceId: DEVICE } });
});

test('a key that another appliance used is refused', async () => {
  const { live, store } = worldWithLive();
  await live.desk.request(DEVICE, NAMES, csrOf(requestFor()));
  const names = ['b.devices.example.com'];
  const stolen = live.desk.request('appliance-2', names, csrOf({ names, keyHash: KEY_HASH }));
  await expect(stolen).rejects.toMatchObject({ code: 'csr-key-reused' });
  expect(await store.orders.openOrders()).toHaveLength(1);
});

test('a request that cannot be read never reaches the store', async () => {
  const { store, clock } = new World();
  const issuance = {
    request: vi.fn<Issuance['request']>(),
    openOrder: vi.fn<Issuance['openOrder']>(),
    outlook: vi.fn<Issuance['outlook']>(),
    waitsUntilMs: vi.fn<Issuance['waitsUntilMs']>(),
  };
  const desk = new CertificateDesk({ store: store.orders, issuance, readRequest: refuse, clock, log: silentLogger });
  await expect(desk.request(DEVICE, NAMES, Uint8Array.of(1))).rejects.toMatchObject({ code: 'csr-invalid' });
  expect(issuance.request).not.toHaveBeenCalled();
});

function worldWithLive() {
  const world = new World();
  return { clock: world.clock, store: world.store, live: world.live() };
}

async function refuse(): Promise<never> {
  throw new LanyardError('csr-invalid');
}
