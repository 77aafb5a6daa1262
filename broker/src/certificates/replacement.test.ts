import { describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { Replacement } from './replacement.ts';
import type { RevocationRequest } from './replacement.ts';
import type { RevocationReason } from './stored-certificate.ts';
import { DEVICE, KEY_HASH, NAME, World, requestFor, onlyIssuer } from './test-life.ts';
import type { Life } from './test-life.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

interface Bench {
  readonly world: World;
  readonly life: Life;
  readonly replacement: Replacement;
  /** Chains whose key was asked to revoke them. */
  readonly bySelf: readonly string[];
}

async function certified(devices: readonly string[] = [DEVICE]): Promise<Bench> {
  const world = new World();
  const life = world.live();
  await life.issuance.start();
  for (const device of devices) {
    await life.issuance.request(
      requestFor([device === DEVICE ? NAME : `${device}.devices.example.com`], device, device),
    );
  }
  await world.clock.advance(HOUR_MS);
  expect(life.issued).toHaveLength(devices.length);
  const { clock, authority } = world;
  const bySelf: string[] = [];
  return {
    world,
    life,
    replacement: new Replacement({
      store: world.store.orders,
      issuers: onlyIssuer(authority),
      keyRevocation: { revoke: async ({ chain }) => void bySelf.push(chain) },
      clock,
      log: silentLogger,
    }),
    bySelf,
  };
}

function byAccount(reason: RevocationReason): RevocationRequest {
  return { signedBy: 'account', reason };
}

function standing({ life }: Bench, keyHash: string) {
  const [{ fingerprint, notAfterMs } = expect.fail()] = life.issued;
  const held = { fingerprint, keyHash, notAfterMs };
  return life.desk.advise({ deviceId: DEVICE, names: [NAME], held, pendingKeyHash: undefined });
}

describe('a certificate that is revoked', () => {
  test('is revoked at the CA, and its appliance is asked for another one with another key', async () => {
    const bench = await certified();
    const { world, life, replacement } = bench;
    expect((await standing(bench, DEVICE)).todo).toEqual({ kind: 'nothing' });
    const { revocation } = await replacement.revoke(DEVICE, byAccount('key-compromise'), never);
    expect(revocation).toEqual({ reason: 'key-compromise', atMs: world.clock.nowMs() });
    expect(world.authority.revoked).toEqual([{ chain: life.issued[0]?.chain, reason: 'key-compromise' }]);
    expect((await standing(bench, DEVICE)).todo).toEqual({ kind: 'request', reason: 'renewal' });
    await expect(life.desk.request(DEVICE, [NAME], requestFor([NAME], DEVICE).csr)).rejects.toMatchObject({
      code: 'csr-key-refused',
    });
    expect(await life.desk.request(DEVICE, [NAME], requestFor([NAME], KEY_HASH).csr)).toMatchObject({
      kind: 'accepted',
      order: { purpose: { kind: 'replacement' } },
    });
    await world.clock.advance(HOUR_MS);
    expect(life.issued).toHaveLength(2);
  });

  test('is not handed over any more, whoever has its key', async () => {
    const bench = await certified();
    await bench.replacement.revoke(DEVICE, byAccount('superseded'), never);
    const question = { deviceId: DEVICE, names: [NAME], held: undefined, pendingKeyHash: DEVICE };
    expect((await bench.life.desk.advise(question)).todo).toEqual({ kind: 'request', reason: 'renewal' });
  });

  test('is revoked by its own key when that is asked for, and then that key is refused', async () => {
    const { world, life, replacement, bySelf } = await certified();
    await replacement.revoke(DEVICE, { signedBy: 'appliance', reason: 'key-compromise' }, never);
    expect(bySelf).toEqual([life.issued[0]?.chain]);
    expect(world.authority.revoked).toEqual([]);
    expect(await world.store.refusedKeys.list({ limit: 9 })).toMatchObject([
      { keyHash: life.issued[0]?.keyHash, reason: 'key-compromise' },
    ]);
  });

  test('stays as it is when the CA refuses', async () => {
    const bench = await certified();
    bench.world.authority.revoke = () => Promise.reject(new LanyardError('authority-unreachable'));
    await expect(bench.replacement.revoke(DEVICE, byAccount('unspecified'), never)).rejects.toMatchObject({
      code: 'authority-unreachable',
    });
    expect((await bench.world.store.orders.dossier(DEVICE)).latestCertificate?.revocation).toBeUndefined();
    expect((await standing(bench, DEVICE)).todo).toEqual({ kind: 'nothing' });
  });

  test('there is none of an appliance that was never certified', async () => {
    const { replacement } = await certified();
    await expect(replacement.revoke('appliance-9', byAccount('unspecified'), never)).rejects.toMatchObject({
      code: 'certificate-missing',
    });
  });
});

describe('all of them', () => {
  const devices = Array.from({ length: 200 }, (_, n) => `appliance-${n}`);

  test('become due within the time, evenly', async () => {
    const { world, replacement } = await certified(devices);
    const nowMs = world.clock.nowMs();
    expect(await replacement.replaceAll(24 * HOUR_MS, false)).toBe(200);
    const dossiers = await Promise.all(devices.map((device) => world.store.orders.dossier(device)));
    const hours = dossiers.map(({ latestCertificate }) => ((latestCertificate?.renewAtMs ?? 0) - nowMs) / HOUR_MS);
    expect(Math.min(...hours)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...hours)).toBeLessThan(24);
    for (let quarter = 0; quarter < 4; quarter++) {
      const due = hours.filter((hour) => Math.floor(hour / 6) === quarter);
      expect(due.length).toBeGreaterThan(40);
      expect(due.length).toBeLessThan(60);
    }
  });

  test('are only counted in a dry run', async () => {
    const { world, replacement, life } = await certified(devices);
    expect(await replacement.replaceAll(24 * HOUR_MS, true)).toBe(200);
    const { latestCertificate } = await world.store.orders.dossier('appliance-7');
    expect(latestCertificate?.renewAtMs).toBe(
      life.issued.find(({ deviceId }) => deviceId === 'appliance-7')?.renewAtMs,
    );
  });

  test('are those that are alive; what is due earlier stays', async () => {
    const { world, replacement } = await certified(devices);
    const soonMs = world.clock.nowMs() + 1;
    await world.store.orders.renewAt('appliance-7', soonMs);
    await replacement.replaceAll(24 * HOUR_MS, false);
    expect((await world.store.orders.dossier('appliance-7')).latestCertificate?.renewAtMs).toBe(soonMs);
    await world.clock.advance(100 * 24 * HOUR_MS);
    expect(await replacement.replaceAll(24 * HOUR_MS, false)).toBe(0);
  });
});
