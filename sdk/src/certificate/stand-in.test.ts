/** A certificate for the key in use, ordered by the broker while the appliance slept, finds its way from every state. */
import { beforeEach, expect, test } from 'vitest';
import { makeKeyPair } from '../identity/key-pair.ts';
import { makeSigningRequest } from '../identity/signing-request.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { IssuedCertificate } from '../protocol/certificate.ts';
import { memoryVault } from '../testing/memory-vault.ts';
import type { MemoryVault } from '../testing/memory-vault.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { x509Reader } from './certificate-reader.ts';
import { CertificateStore } from './certificate-store.ts';
import { Keeper } from './keeper.ts';
import { ServerTime } from './server-time.ts';
import { TestBroker } from './test-broker.ts';
import { TrustedRoots } from './trusted-roots.ts';

const FLOOR_MS = Date.UTC(2026, 9, 1);
const DAY_MS = 24 * 60 * 60_000;

let broker: TestBroker;
let vault: MemoryVault;
let clock: VirtualClock;

beforeEach(async () => {
  broker = await TestBroker.make();
  vault = memoryVault();
  clock = new VirtualClock(broker.nowMs);
});

/** A process with what the vault holds. */
async function boot() {
  const reader = x509Reader(new TrustedRoots([broker.rootPem]));
  const store = new CertificateStore({ vault, reader });
  await store.load();
  const keeper = new Keeper({
    clock,
    random: seededRandom(1),
    log: silentLogger,
    link: broker,
    addresses: { start: async () => {}, stop: async () => {}, current: () => [], onChange: () => {} },
    store,
    keys: { makeKeyPair: () => makeKeyPair(), makeSigningRequest: (wish) => makeSigningRequest(wish) },
    reader,
    time: new ServerTime({ clock, floorMs: FLOOR_MS }),
    introduction: { sdkVersion: '1.2.3' },
  });
  await keeper.start();
  return { keeper, store };
}

/** One with a certificate sleeps for so many days. What the broker ordered meanwhile has the same key. */
async function asleepFor(days: number): Promise<IssuedCertificate> {
  const { keeper, store } = await boot();
  await broker.next('installed');
  if (store.current === undefined) throw new Error('no certificate');
  const { keyPem, names } = store.current;
  await keeper.stop('reboot');
  await broker.next('bye');
  broker.nowMs += days * DAY_MS;
  clock = new VirtualClock(broker.nowMs);
  const standIn = await broker.issue(await makeSigningRequest({ keyPem, names }));
  expect(standIn.keyHash).toBe(store.current?.keyHash);
  broker.todo = { kind: 'install', fingerprint: standIn.fingerprint };
  return standIn;
}

for (const [days, how] of [
  [80, 'whose own lives'],
  [100, 'whose own has expired'],
] as const) {
  test(`one ${how} installs it after its sleep, keeps the key, and has it after the next start`, async () => {
    const standIn = await asleepFor(days);
    const { keeper, store } = await boot();
    const { hello } = await broker.next('hello');
    expect(hello.certificate?.keyHash).toBe(standIn.keyHash);
    broker.say({ kind: 'certificate', certificate: standIn });
    expect((await broker.next('installed')).installed.fingerprint).toBe(standIn.fingerprint);
    expect(store.current).toMatchObject({ fingerprint: standIn.fingerprint, keyHash: standIn.keyHash });
    await keeper.stop('reboot');
    expect((await boot()).store.current?.fingerprint).toBe(standIn.fingerprint);
  });
}

test('a key that waits is in nobody’s way, and serves for the next renewal', async () => {
  const standIn = await asleepFor(80);
  const { keyPem, keyHash } = await makeKeyPair();
  const waiting = new CertificateStore({ vault, reader: x509Reader(new TrustedRoots([])) });
  await waiting.load();
  await waiting.keepPending({ keyPem, keyHash, names: broker.names });
  const { store } = await boot();
  expect((await broker.next('hello')).hello.pendingKeyHash).toBe(keyHash);
  broker.say({ kind: 'certificate', certificate: standIn });
  await broker.next('installed');
  expect(store.pending?.keyHash).toBe(keyHash);
  broker.todo = { kind: 'nothing' };
  broker.say(broker.stateFor({ kind: 'request', reason: 'renewal' }));
  await broker.next('csr');
  await broker.next('installed');
  expect(store.current?.keyHash).toBe(keyHash);
  expect(store.pending).toBeUndefined();
});

test('one that was told to wait with a new key, because the order is at the CA, takes it when it comes', async () => {
  const standIn = await asleepFor(80);
  broker.isSilent = true;
  const { keeper, store } = await boot();
  await broker.next('hello');
  broker.say(broker.stateFor({ kind: 'request', reason: 'key-unknown' }));
  const { csr } = await broker.next('csr');
  const problem = { message: 'at the CA', retryable: true, retryAfterSeconds: 30 } as const;
  broker.say({ kind: 'problem', problem: { ...problem, code: 'busy', id: csr.id, ref: 'order-1' } });
  expect(keeper.state.phase.kind).toBe('blocked');
  broker.say({ kind: 'certificate', certificate: standIn });
  expect((await broker.next('installed')).installed.fingerprint).toBe(standIn.fingerprint);
  expect(store.current?.fingerprint).toBe(standIn.fingerprint);
});
