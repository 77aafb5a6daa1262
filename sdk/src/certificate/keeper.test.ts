/** The lifecycle with a real store, real keys and a broker that can misbehave. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeKeyPair } from '../identity/key-pair.ts';
import { makeSigningRequest } from '../identity/signing-request.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { ReportedAddress } from '../protocol/hello.ts';
import { memoryVault } from '../testing/memory-vault.ts';
import type { MemoryVault } from '../testing/memory-vault.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { x509Reader } from './certificate-reader.ts';
import { CertificateStore } from './certificate-store.ts';
import { Keeper } from './keeper.ts';
import type { KeeperEvent } from './keeper.ts';
import { ServerTime } from './server-time.ts';
import { TestBroker } from './test-broker.ts';
import { TrustedRoots } from './trusted-roots.ts';

const FLOOR_MS = Date.UTC(2026, 9, 1);
const HOUR_MS = 60 * 60_000;

let template: TestBroker;
let broker: TestBroker;
let vault: MemoryVault;
let clock: VirtualClock;

beforeAll(async () => {
  template = await TestBroker.make();
});

beforeEach(async () => {
  broker = await TestBroker.make();
  vault = memoryVault();
  clock = new VirtualClock(broker.nowMs);
});

test('an appliance that has nothing ends up with a certificate', async () => {
  const { keeper, events, store } = await boot();
  const hello = await broker.next('hello');
  expect(hello.hello).toMatchObject({ sdkVersion: '1.2.3', addresses: [{ address: '10.1.1.4' }] });
  expect(hello.hello.certificate).toBeUndefined();
  const { installed } = await broker.next('installed');
  expect(store.current).toMatchObject({ fingerprint: installed.fingerprint, names: broker.names });
  expect(events).toContainEqual({ kind: 'certificate', credential: store.current });
  expect(keeper.state.phase.kind).toBe('idle');
  expect(broker.spreadMs).toBe(60_000);
});

test('the key is in the vault when its request leaves', async () => {
  const { store } = await boot();
  const send = broker.send.bind(broker);
  const atCsr: boolean[] = [];
  broker.send = (message) => {
    if (message.kind === 'csr') void vault.read('pending').then((bytes) => atCsr.push(bytes !== undefined));
    return send(message);
  };
  await broker.next('installed');
  expect(atCsr).toEqual([true]);
  expect(store.pending).toBeUndefined();
});

test('every renewal has a new key, and the pair before is kept', async () => {
  const { store } = await boot();
  await broker.next('installed');
  const first = store.current;
  broker.say(broker.stateFor({ kind: 'request', reason: 'renewal' }));
  await broker.next('installed');
  expect(store.current?.keyHash).not.toBe(first?.keyHash);
  vault.corrupt('current');
  const after = new CertificateStore({ vault, reader: x509Reader(new TrustedRoots([])) });
  await after.load();
  expect(after.current).toEqual(first);
});

test('a key that waited through a reboot is asked for again, and said so in hello', async () => {
  broker.isSilent = true;
  const first = await boot();
  await broker.next('hello');
  broker.say(broker.stateFor({ kind: 'request', reason: 'first' }));
  const csr = await broker.next('csr');
  const keyHash = first.store.pending?.keyHash;
  await first.keeper.stop('reboot');
  broker.isSilent = false;
  await boot();
  expect((await broker.next('hello')).hello.pendingKeyHash).toBe(keyHash);
  expect((await broker.next('csr')).csr.id).toBe(csr.csr.id);
  await broker.next('installed');
});

describe('when something fails the certificate in use stays', () => {
  test('a full disk: no request leaves, it is told, and tried again later', async () => {
    vault.failWrites(true);
    const { told, keeper } = await boot();
    const { error, retryAtMs } = await told('problem');
    expect(error.code).toBe('vault-unwritable');
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(60_000);
    expect(retryAtMs).toBe(clock.nowMs() + (error.retryAfterMs ?? 0));
    expect(broker.sent.map(({ kind }) => kind)).toEqual(['hello']);
    expect(keeper.state.phase.kind).toBe('blocked');
    vault.failWrites(false);
    await clock.advance(2 * 60_000);
    await broker.next('installed');
  });

  test.each([
    ['another name', { hosts: ['evil.example'] }, /names/],
    ['a certificate that has expired', { notAfterMs: Date.UTC(2026, 10, 1) }, /dates/],
  ])('%s from the CA is refused', async (_, wish, message) => {
    const { store, told } = await boot();
    await broker.next('installed');
    const before = store.current;
    broker.wish = wish;
    broker.say(broker.stateFor({ kind: 'request', reason: 'renewal' }));
    const { error } = await told('problem');
    expect(error).toMatchObject({ code: 'certificate-refused', message: expect.stringMatching(message) });
    expect(store.current).toEqual(before);
  });

  test('a certificate from a CA that is not trusted is refused', async () => {
    const { told, store } = await boot({ rootPem: template.rootPem });
    expect((await told('problem')).error.message).toMatch(/trust: .*no trusted root/);
    expect(store.current).toBeUndefined();
  });

  test('a link that throws is reported, and the lifecycle goes on', async () => {
    const { told } = await boot();
    await broker.next('installed');
    const send = broker.send.bind(broker);
    broker.send = () => {
      throw new Error('EPIPE');
    };
    broker.connect();
    expect((await told('problem')).error).toMatchObject({ code: 'internal', message: 'EPIPE' });
    broker.send = send;
    await clock.advance(40_000);
    expect((await broker.next('hello')).kind).toBe('hello');
  });
});

test('a broker that does not answer hello is told after 30 seconds and asked again', async () => {
  broker.isSilent = true;
  const { told } = await boot();
  await broker.next('hello');
  await clock.advance(40_000);
  expect((await told('problem')).error.code).toBe('broker-silent');
  await broker.next('hello');
});

test('an appliance in 1970 takes its first certificate, by the broker’s time', async () => {
  clock = new VirtualClock(0);
  const { store, time } = await boot();
  await broker.next('installed');
  expect(store.current?.notAfterMs).toBeGreaterThan(FLOOR_MS);
  expect(time.nowMs()).toBe(broker.nowMs);
});

test('an appliance in 1970 tells by the broker’s time when a lost line is tried again', async () => {
  clock = new VirtualClock(0);
  const { told } = await boot();
  await broker.next('installed');
  broker.drop(clock.nowMs() + 1000);
  expect(await told('problem')).toMatchObject({ retryAtMs: broker.nowMs + 1000, error: { retryAfterMs: 1000 } });
});

test('in check-in mode it leaves when all is done and comes back when it was told', async () => {
  broker.mode = 'checkin';
  await boot();
  await broker.next('installed');
  expect((await broker.next('bye')).bye.reason).toBe('checked-in');
  await clock.advance(6 * HOUR_MS + 1000);
  expect((await broker.next('hello')).hello.certificate).toBeDefined();
  expect((await broker.next('bye')).bye.reason).toBe('checked-in');
});

test('an address source that fails is reported, and the certificate comes all the same', async () => {
  const { told } = await boot({ startAddresses: () => Promise.reject(new Error('EACCES')) });
  expect((await told('problem')).error.message).toBe('EACCES');
  await broker.next('installed');
});

test('changed addresses are told at once', async () => {
  const { move } = await boot();
  await broker.next('installed');
  move([{ address: '192.168.7.7', interface: 'wlan0', isDefaultRoute: true }]);
  expect((await broker.next('hello')).hello.addresses).toMatchObject([{ address: '192.168.7.7' }]);
});

test('a line that comes and goes leads to one hello each time', async () => {
  await boot();
  await broker.next('installed');
  broker.drop();
  broker.connect();
  await broker.next('hello');
  expect(broker.sent.filter(({ kind }) => kind === 'hello')).toHaveLength(2);
});

describe('asked to revoke', () => {
  const sent = { id: 'r1', url: 'https://ca.example/revoke', nonce: 'n1' };

  test('the certificate in use, it signs that and goes on serving it', async () => {
    const { store, keeper } = await boot();
    const { fingerprint } = (await broker.next('installed')).installed;
    broker.say({ kind: 'revocation', wish: { ...sent, fingerprint } });
    expect((await broker.next('revocation')).revocation.id).toBe('r1');
    expect(store.current?.fingerprint).toBe(fingerprint);
    expect(keeper.state.phase.kind).toBe('idle');
  });

  test('another one, it says nothing and tells nobody', async () => {
    const { events } = await boot();
    await broker.next('installed');
    const [said, heard] = [broker.sent.length, events.length];
    broker.say({ kind: 'revocation', wish: { ...sent, fingerprint: 'ab'.repeat(32) } });
    expect([broker.sent.length, events.length]).toEqual([said, heard]);
  });
});

test('after stop nothing is said, whatever comes', async () => {
  const { keeper, events } = await boot();
  await broker.next('installed');
  await keeper.stop();
  expect((await broker.next('bye')).bye.reason).toBe('shutdown');
  const [said, heard] = [broker.sent.length, events.length];
  broker.connect();
  broker.say(broker.stateFor({ kind: 'request', reason: 'renewal' }));
  await clock.advance(24 * HOUR_MS);
  expect([broker.sent.length, events.length]).toEqual([said, heard]);
});

async function boot(options: { rootPem?: string; startAddresses?: () => Promise<void> } = {}) {
  const reader = x509Reader(new TrustedRoots([options.rootPem ?? broker.rootPem]));
  const store = new CertificateStore({ vault, reader });
  await store.load();
  const time = new ServerTime({ clock, floorMs: FLOOR_MS });
  let reported: readonly ReportedAddress[] = [{ address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true }];
  let onMove: (() => void) | undefined;
  const keeper = new Keeper({
    clock,
    random: seededRandom(1),
    log: silentLogger,
    link: broker,
    addresses: {
      start: options.startAddresses ?? (async () => {}),
      stop: async () => {},
      current: () => reported,
      onChange: (listener) => (onMove = listener),
    },
    store,
    keys: { makeKeyPair: () => makeKeyPair(), makeSigningRequest: (wish) => makeSigningRequest(wish) },
    reader,
    time,
    introduction: { sdkVersion: '1.2.3' },
  });
  const events: KeeperEvent[] = [];
  let wake: (() => void) | undefined;
  keeper.onEvent((event) => {
    events.push(event);
    wake?.();
  });
  /** The first event of that kind, now or to come. */
  const told = async <K extends KeeperEvent['kind']>(kind: K): Promise<Extract<KeeperEvent, { kind: K }>> => {
    for (;;) {
      const event = events.find((each): each is Extract<KeeperEvent, { kind: K }> => each.kind === kind);
      if (event) return event;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const move = (addresses: readonly ReportedAddress[]): void => {
    reported = addresses;
    onMove?.();
  };
  await keeper.start();
  return { keeper, events, store, time, told, move };
}
