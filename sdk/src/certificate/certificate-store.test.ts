/** What the vault's entries mean, and what is left of them after a power cut. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeKeyPair } from '../identity/key-pair.ts';
import { LanyardError } from '../kernel/errors.ts';
import { memoryVault } from '../testing/memory-vault.ts';
import type { MemoryVault } from '../testing/memory-vault.ts';
import type { Vault, VaultEntry } from '../vault/vault.ts';
import { x509Reader } from './certificate-reader.ts';
import { CertificateStore } from './certificate-store.ts';
import type { PendingPair } from './certificate-store.ts';
import type { Credential } from './credential.ts';
import { TestBroker } from './test-broker.ts';
import { TrustedRoots } from './trusted-roots.ts';

const NAMES = ['box.devices.example'];
let old: Credential;
let fresh: Credential;
let pending: PendingPair;
let vault: MemoryVault;

beforeAll(async () => {
  const broker = await TestBroker.make();
  [old, fresh] = [await broker.credential(), await broker.credential()];
  pending = { keyPem: fresh.keyPem, keyHash: fresh.keyHash, names: NAMES };
});

/** Nothing here asks who vouches for a certificate. */
const reader = x509Reader(new TrustedRoots([]));

beforeEach(() => {
  vault = memoryVault();
});

test('what was installed is there after a restart', async () => {
  const store = new CertificateStore({ vault, reader });
  await store.keepPending(pending);
  await store.install(old);
  await store.install(fresh);
  const again = await reopened(vault);
  expect(again).toMatchObject({ current: fresh, pending: undefined, faults: [] });
});

test('a pending key is there after a restart, with its names', async () => {
  await new CertificateStore({ vault, reader }).keepPending(pending);
  expect((await reopened(vault)).pending).toEqual(pending);
});

test('an installation for another key leaves the pending one alone', async () => {
  const store = new CertificateStore({ vault, reader });
  await store.keepPending(pending);
  await store.install(old);
  expect((await reopened(vault)).pending).toEqual(pending);
});

test('a corrupt current certificate is replaced by the one before', async () => {
  const store = new CertificateStore({ vault, reader });
  await store.install(old);
  await store.install(fresh);
  vault.corrupt('current');
  const again = await reopened(vault);
  expect(again.current).toEqual(old);
  expect(again.faults).toMatchObject([{ code: 'vault-corrupt' }]);
});

describe.each([
  ['no JSON', 'not json'],
  ['another format', JSON.stringify({ format: 'lanyard-9', key: 'k', chain: 'c' })],
  ['missing fields', JSON.stringify({ format: 'lanyard-1' })],
  ['a chain that is none', JSON.stringify({ format: 'lanyard-1', key: 'k', chain: 'c', names: NAMES })],
])('an entry with %s', (_, text) => {
  test.each(['current', 'pending'] as const)('as %s is left out and told', async (entry) => {
    await vault.write(entry, Buffer.from(text));
    const store = await reopened(vault);
    expect(store).toMatchObject({ current: undefined, pending: undefined });
    expect(store.faults).toMatchObject([{ code: 'vault-corrupt' }]);
  });
});

test('a key and a chain that do not belong together are not used', async () => {
  const mixed = { format: 'lanyard-1', key: (await makeKeyPair()).keyPem, chain: old.chainPem };
  await vault.write('current', Buffer.from(JSON.stringify(mixed)));
  expect((await reopened(vault)).current).toBeUndefined();
});

test('a full disk leaves the certificate in use as it is', async () => {
  const store = new CertificateStore({ vault, reader });
  await store.install(old);
  vault.failWrites(true);
  await expect(store.install(fresh)).rejects.toThrow(LanyardError);
  expect(store.current).toEqual(old);
  expect((await reopened(vault)).current).toEqual(old);
});

test('a pending entry that cannot be removed after an installation does not undo it, nor is it asked for again', async () => {
  await new CertificateStore({ vault, reader }).keepPending(pending);
  const store = await reopened(cutOff(vault, 'remove', 1));
  await store.install(fresh);
  const again = await reopened(vault);
  expect(again).toMatchObject({ current: fresh, pending: undefined });
});

test('a power cut after any step of an installation leaves the old or the new certificate, whole', async () => {
  for (let steps = 0; steps <= 3; steps += 1) {
    const medium = memoryVault();
    const store = new CertificateStore({ vault: medium, reader });
    await store.install(old);
    await store.keepPending(pending);
    const cut = await reopened(cutOff(medium, 'all', steps + 1));
    await cut.install(fresh).catch(() => {});
    const after = await reopened(medium);
    expect([old.fingerprint, fresh.fingerprint]).toContain(after.current?.fingerprint);
    expect(after.current?.fingerprint === fresh.fingerprint || after.pending?.keyHash === fresh.keyHash).toBe(true);
  }
});

async function reopened(medium: Vault): Promise<CertificateStore> {
  const store = new CertificateStore({ vault: medium, reader });
  await store.load();
  return store;
}

/** A vault whose power goes at the `nth` change. */
function cutOff(medium: Vault, what: 'all' | 'remove', nth: number): Vault {
  let changes = 0;
  const demandPower = (isCounted: boolean): void => {
    if (isCounted && ++changes >= nth) throw new LanyardError('vault-unwritable');
  };
  return {
    read: (entry) => medium.read(entry),
    async write(entry: VaultEntry, bytes: Uint8Array) {
      demandPower(what === 'all');
      await medium.write(entry, bytes);
    },
    async remove(entry: VaultEntry) {
      demandPower(true);
      await medium.remove(entry);
    },
  };
}
