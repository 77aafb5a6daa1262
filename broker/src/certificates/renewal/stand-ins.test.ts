import { describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { DEVICE, KEY_HASH, NAME, World, honest, requestFor } from '../test-life.ts';
import type { Life, Witness } from '../test-life.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import { StandIns } from './stand-ins.ts';
import type { StandInsParts } from './stand-ins.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function nameOf(deviceId: string): string {
  return deviceId === DEVICE ? NAME : `${deviceId}.devices.example.com`;
}

class Shelf extends World {
  namesOf = (deviceId: string): readonly string[] | undefined => [nameOf(deviceId)];
  /** Thrown by the store while it is set. */
  failure: Error | undefined;
  questions = 0;
  #life: { readonly life: Life; readonly standIns: StandIns } | undefined;

  async begin(witness: Witness = honest, renewAsleepDays = 100): Promise<Life> {
    const life = this.live(witness);
    const { clock } = this;
    const { orders } = this.store;
    const parts: StandInsParts = {
      store: {
        unattended: (nowMs, limit) => orders.unattended(nowMs, limit),
        leaveUnattended: (fingerprint) => orders.leaveUnattended(fingerprint),
        nextUnattendedMs: async () => {
          this.questions += 1;
          if (this.failure) throw this.failure;
          return await orders.nextUnattendedMs();
        },
      },
      issuance: life.issuance,
      namesOf: async (deviceId) => this.namesOf(deviceId),
      clock,
      log: silentLogger,
      settings: { renewAsleepDays },
    };
    const standIns = new StandIns(parts);
    await life.issuance.start();
    await standIns.start();
    this.#life = { life, standIns };
    return life;
  }

  async end(): Promise<void> {
    const { life, standIns } = this.#life ?? expect.fail();
    await Promise.all([standIns.stop(), life.issuance.stop(), this.clock.advance(10_000)]);
  }

  planned(certificate: StoredCertificate): number | undefined {
    return this.#life?.standIns.plannedAtMs(certificate);
  }

  /** An appliance asks, gets its certificate, and is not heard of again. */
  async certify(keyHash = KEY_HASH): Promise<StoredCertificate> {
    const { life } = this.#life ?? expect.fail();
    await life.issuance.request(requestFor([NAME], keyHash));
    await this.clock.advance(60_000);
    return await this.newest();
  }

  async newest(): Promise<StoredCertificate> {
    return (await this.store.orders.dossier(DEVICE)).latestCertificate ?? expect.fail('no certificate');
  }

  async advanceTo(atMs: number): Promise<void> {
    await this.clock.advance(atMs - this.clock.nowMs());
  }
}

test('an appliance that does not ask is renewed with the key it has, when half of the rest is over', async () => {
  const world = new Shelf();
  const { issued } = await world.begin();
  const own = await world.certify();
  await world.advanceTo((own.unattendedAtMs ?? 0) - 1_000);
  expect(issued).toHaveLength(1);
  await world.clock.advance(2 * 60_000);
  expect(issued).toHaveLength(2);
  const standIn = await world.newest();
  expect(standIn).toMatchObject({ keyHash: KEY_HASH, names: [NAME], asleepSinceMs: own.renewAtMs });
  expect(standIn.fingerprint).not.toBe(own.fingerprint);
  expect(world.board.records).toEqual([]);
});

test('one that sleeps on is renewed until the cut-off, and then no more', async () => {
  const world = new Shelf();
  const { issued } = await world.begin();
  const own = await world.certify();
  await world.clock.advance(1_000 * DAY_MS);
  const last = await world.newest();
  const cutOffMs = own.renewAtMs + 100 * DAY_MS;
  expect(issued.length).toBeGreaterThan(2);
  expect(issued.slice(1).every(({ asleepSinceMs }) => asleepSinceMs === own.renewAtMs)).toBe(true);
  expect(last.issuedAtMs).toBeLessThanOrEqual(cutOffMs + HOUR_MS);
  expect(last.issuedAtMs).toBeGreaterThan(cutOffMs - 75 * DAY_MS);
  expect(await world.store.orders.nextUnattendedMs()).toBeUndefined();
  expect(world.planned(last)).toBeUndefined();
});

test('one that has installed what was ordered in its absence is stood in for anew', async () => {
  const world = new Shelf();
  await world.begin();
  const own = await world.certify();
  await world.advanceTo((own.unattendedAtMs ?? 0) + HOUR_MS);
  const standIn = await world.newest();
  await world.store.orders.markInstalled(DEVICE, standIn.fingerprint, world.clock.nowMs());
  await world.advanceTo((standIn.unattendedAtMs ?? 0) + HOUR_MS);
  expect(await world.newest()).toMatchObject({ asleepSinceMs: standIn.renewAtMs });
});

test('one that asks in time is not stood in for', async () => {
  const world = new Shelf();
  const { issued } = await world.begin();
  const own = await world.certify();
  await world.advanceTo(own.renewAtMs);
  const next = await world.certify('key-2');
  expect(next).not.toHaveProperty('asleepSinceMs');
  await world.advanceTo((own.unattendedAtMs ?? 0) + HOUR_MS);
  expect(issued).toHaveLength(2);
});

describe('when nobody stands in', () => {
  const TABLE: readonly (readonly [string, (world: Shelf, own: StoredCertificate) => unknown, number?])[] = [
    ['the setting says never', () => {}, 0],
    ['the appliance is disabled', (world) => (world.namesOf = () => undefined)],
    ['its names have changed', (world) => (world.namesOf = () => ['b.devices.example.com'])],
    [
      'its certificate was revoked',
      (world, { fingerprint }) =>
        world.store.orders.noteRevoked(fingerprint, { reason: 'key-compromise', atMs: world.clock.nowMs() }),
    ],
  ];
  for (const [why, change, renewAsleepDays] of TABLE) {
    test(`as ${why}, nothing is ordered, now or later`, async () => {
      const world = new Shelf();
      const { issued } = await world.begin(honest, renewAsleepDays);
      await change(world, await world.certify());
      await world.clock.advance(400 * DAY_MS);
      expect(issued).toHaveLength(1);
      expect(await world.store.orders.nextUnattendedMs()).toBeUndefined();
    });
  }
});

test('an appliance that comes back while the order waits takes its place with a new key', async () => {
  const world = new Shelf();
  let isFull = false;
  const life = await world.begin(async (name, act) => {
    if (isFull && name === 'authority.newOrder') {
      throw new LanyardError('authority-rate-limited', { retryAfterMs: 2 * HOUR_MS });
    }
    return await act();
  });
  const own = await world.certify();
  isFull = true;
  await world.advanceTo((own.unattendedAtMs ?? 0) + HOUR_MS);
  const { openOrder } = await world.store.orders.dossier(DEVICE);
  expect(openOrder).toMatchObject({ keyHash: KEY_HASH, asleepSinceMs: own.renewAtMs, state: { kind: 'waiting' } });
  const acceptance = await life.issuance.request(requestFor([NAME], 'key-2'));
  expect(acceptance).toMatchObject({ kind: 'accepted', order: { id: openOrder?.id, keyHash: 'key-2' } });
  isFull = false;
  await world.clock.advance(DAY_MS);
  const renewed = await world.newest();
  expect(renewed).toMatchObject({ keyHash: 'key-2', orderId: openOrder?.id });
  expect(renewed).not.toHaveProperty('asleepSinceMs');
});

test('what became due while the broker was away is done at its start', async () => {
  const world = new Shelf();
  await world.begin();
  const own = await world.certify();
  await world.end();
  await world.advanceTo(own.notAfterMs + DAY_MS);
  const { issued } = await world.begin();
  await world.clock.advance(60_000);
  expect(issued).toMatchObject([{ keyHash: KEY_HASH, asleepSinceMs: own.renewAtMs }]);
});

test('an order that was opened just before a crash goes on after it', async () => {
  const world = new Shelf();
  await world.begin();
  const own = await world.certify();
  await world.end();
  const unattendedAtMs = own.unattendedAtMs ?? 0;
  await world.advanceTo(unattendedAtMs);
  const wish = { deviceId: DEVICE, fingerprint: own.fingerprint, asleepSinceMs: own.renewAtMs, nowMs: unattendedAtMs };
  expect(await world.store.orders.standIn({ ...wish, orderId: 'order-of-the-dead' })).toBeDefined();
  const { issued } = await world.begin();
  await world.clock.advance(60_000);
  expect(issued).toMatchObject([{ orderId: 'order-of-the-dead', asleepSinceMs: own.renewAtMs }]);
});

test('a store that fails is asked again in a minute, one that has nothing once an hour', async () => {
  const world = new Shelf();
  const { issued } = await world.begin();
  const own = await world.certify();
  world.questions = 0;
  await world.clock.advance(10 * DAY_MS);
  expect(world.questions).toBeLessThanOrEqual(241);
  await world.advanceTo((own.unattendedAtMs ?? 0) - HOUR_MS);
  world.failure = new LanyardError('store-failed');
  await world.clock.advance(2 * HOUR_MS);
  world.questions = 0;
  await world.clock.advance(10 * 60_000);
  expect(world.questions).toBe(10);
  world.failure = undefined;
  await world.clock.advance(2 * 60_000);
  expect(issued).toHaveLength(2);
});

test('many that are due at once are all done', async () => {
  const world = new Shelf();
  const life = await world.begin();
  const devices = Array.from({ length: 250 }, (_, n) => `sleeper-${n}`);
  for (const device of devices) {
    await life.issuance.request(requestFor([nameOf(device)], `key of ${device}`, device));
  }
  await world.clock.advance(HOUR_MS);
  await world.end();
  expect(life.issued).toHaveLength(250);
  await world.clock.advance(85 * DAY_MS);
  const { issued } = await world.begin();
  await world.clock.advance(HOUR_MS);
  expect(new Set(issued.map(({ deviceId }) => deviceId)).size).toBe(250);
});
