/** What firmware sees, from the first boot to the goodbye. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AddressSource } from './address/address-source.ts';
import { fixedAddresses } from './address/fixed-addresses.ts';
import { startAppliance } from './appliance.ts';
import type { Appliance, ApplianceEvents } from './appliance.ts';
import { x509Reader } from './certificate/certificate-reader.ts';
import { CertificateStore } from './certificate/certificate-store.ts';
import { TestBroker } from './certificate/test-broker.ts';
import type { ApplianceOptions } from './options.ts';
import type { ReportedAddress } from './protocol/hello.ts';
import { memoryVault } from './testing/memory-vault.ts';
import type { MemoryVault } from './testing/memory-vault.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { TrustedRoots } from './certificate/trusted-roots.ts';

const DAY_MS = 24 * 60 * 60_000;
const LAN: readonly ReportedAddress[] = [{ address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true }];

let broker: TestBroker;
let vault: MemoryVault;
let clock: VirtualClock;
const cleanUp: (() => unknown)[] = [];

beforeEach(async () => {
  broker = await TestBroker.make();
  vault = memoryVault();
  clock = new VirtualClock(broker.nowMs);
});

afterEach(async () => {
  for (const action of cleanUp.splice(0)) await action();
});

describe('without any network', () => {
  beforeEach(() => {
    broker.isReachable = false;
  });

  test('the first boot is over at once, and HTTPS answers with a self-signed certificate', async () => {
    const appliance = await boot();
    const server = await serve(appliance);
    expect(await shownBy(server)).toBe('IP Address:10.1.1.4');
    expect(appliance.status()).toMatchObject({ kind: 'unnamed', link: 'down', names: [] });
    expect(appliance.tlsPair()).toBeUndefined();
  });

  test('a later boot shows the stored certificate', async () => {
    await store(await broker.credential());
    const appliance = await boot();
    expect(await shownBy(await serve(appliance))).toBe('DNS:box.devices.example');
    expect(appliance.status()).toMatchObject({ kind: 'current', link: 'down', names: ['box.devices.example'] });
  });

  test('the status grows old with the certificate, and tells so', async () => {
    await store(await broker.credential());
    const appliance = await boot();
    const kinds: string[] = [];
    appliance.on('state', ({ kind }) => void kinds.push(kind));
    await clock.advance(61 * DAY_MS);
    expect(appliance.status().kind).toBe('expired');
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual(['expiring', 'expired']);
    expect(await shownBy(await serve(appliance))).toBe('DNS:box.devices.example');
  });

  test('the self-signed certificate follows the addresses', async () => {
    const addresses = fixedAddresses(LAN);
    const appliance = await boot({ addresses });
    const server = await serve(appliance);
    expect(await shownBy(server)).toBe('IP Address:10.1.1.4');
    addresses.change([{ address: '192.168.7.7', interface: 'eth0', isDefaultRoute: true }]);
    await expect.poll(() => shownBy(server)).toBe('IP Address:192.168.7.7');
  });
});

test('the first certificate is requested, stored, served and told', async () => {
  broker.isReachable = false;
  const appliance = await boot();
  const server = await serve(appliance);
  const arrival = next(appliance, 'certificate');
  broker.connect();
  const certificate = await arrival;
  expect(certificate).toMatchObject({ names: ['box.devices.example'], fingerprint: expect.any(String) });
  expect(JSON.stringify(certificate)).not.toContain('PRIVATE');
  expect(await shownBy(server)).toBe('DNS:box.devices.example');
  await broker.next('installed');
  expect(appliance.status()).toMatchObject({ kind: 'current', link: 'up', published: ['10.1.1.4'], certificate });
  expect(appliance.tlsPair()?.keyPem).toContain('PRIVATE KEY');
});

test('a renewal reaches a running server of the firmware’s own', async () => {
  await store(await broker.credential());
  const appliance = await boot();
  const server = await serve(appliance);
  await broker.next('hello');
  const arrival = next(appliance, 'certificate');
  broker.names = ['box.devices.example', '*.box.devices.example'];
  broker.say(broker.stateFor({ kind: 'request', reason: 'names-changed' }));
  await arrival;
  expect(await shownBy(server)).toBe('DNS:box.devices.example, DNS:*.box.devices.example');
});

test('a problem is told with its reason and the time of the next try, and forgotten when it is over', async () => {
  broker.isSilent = true;
  await store(await broker.credential());
  const appliance = await boot();
  const { hello } = await broker.next('hello');
  const told = next(appliance, 'problem');
  const refusal = { code: 'rate-limited', message: 'too many', retryable: true, ref: 'r1' } as const;
  broker.say({ kind: 'problem', problem: { id: hello.id, retryAfterSeconds: 600, ...refusal } });
  expect(await told).toMatchObject({ code: 'request-refused', message: 'rate-limited: too many' });
  expect(appliance.status()).toMatchObject({ kind: 'blocked', lastProblem: { code: 'request-refused' } });
  expect(Reflect.get(appliance.status(), 'retryAtMs')).toBeGreaterThanOrEqual(clock.nowMs() + 600_000);
  broker.isSilent = false;
  await clock.advance(15 * 60_000);
  expect(appliance.status().kind).toBe('current');
  expect(appliance.status().lastProblem).toBeUndefined();
});

test('what the vault has lost is told in the status, and asked for again', async () => {
  await store(await broker.credential());
  vault.corrupt('current');
  broker.isSilent = true;
  const appliance = await boot();
  expect(appliance.status().lastProblem).toMatchObject({ code: 'vault-corrupt' });
});

test('a vault that cannot be read ends the start with its own error', async () => {
  const broken = { ...vault, read: () => Promise.reject(new TypeError('EIO')) };
  const { read } = broken;
  const start = boot({ vault: { read, write: vault.write.bind(vault), remove: vault.remove.bind(vault) } });
  await expect(start).rejects.toThrow('EIO');
});

test('options are checked before anything is touched', async () => {
  const wrong: unknown = { vault, link: broker, modell: 'NAS 4' };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as firmware in plain JavaScript would call it
  await expect(startAppliance(wrong as ApplianceOptions)).rejects.toMatchObject({
    code: 'option-invalid',
    details: { option: 'modell' },
  });
});

test.each([
  ['certficate', () => {}],
  ['toString', () => {}],
  ['state', undefined],
])('listening to %s with %o is refused by name', async (kind, listener) => {
  const appliance = await boot();
  expect(() => Reflect.apply(appliance.on.bind(appliance), undefined, [kind, listener])).toThrow(
    expect.objectContaining({
      code: 'option-invalid',
      message: expect.stringContaining('certificate, state, problem'),
    }),
  );
});

test('a listener that throws disturbs nothing', async () => {
  const appliance = await boot();
  appliance.on('state', () => {
    throw new Error('firmware');
  });
  await broker.next('installed');
  expect(appliance.status().kind).toBe('current');
});

test('going out of scope says goodbye', async () => {
  {
    await using appliance = await boot();
    await broker.next('installed');
    expect(appliance.status().link).toBe('up');
  }
  expect((await broker.next('bye')).bye.reason).toBe('shutdown');
});

test('closing twice, or before the network came, is harmless', async () => {
  broker.isReachable = false;
  const appliance = await boot();
  await appliance.close();
  await appliance.close('reboot');
  expect(broker.sent).toEqual([]);
});

test('closing from a listener leaves no timer behind and says nothing after the goodbye', async () => {
  await store(await broker.credential());
  broker.isSilent = true;
  const appliance = await boot();
  let closing: Promise<void> | undefined;
  appliance.on('problem', () => {
    closing = appliance.close('reboot');
  });
  await clock.advance(40_000);
  await closing;
  expect(clock.nextTimerMs()).toBeUndefined();
  expect(broker.sent.map(({ kind }) => kind)).toEqual(['hello', 'bye']);
});

test('closing again waits for the first goodbye', async () => {
  const appliance = await boot();
  await broker.next('installed');
  const ended: string[] = [];
  broker.stop = async () => {
    await new Promise(setImmediate);
    ended.push('link');
  };
  const first = appliance.close();
  const second = appliance.close().then(() => ended.push('second close'));
  await Promise.all([first, second]);
  expect(ended).toEqual(['link', 'second close']);
});

test('closing ends in bounded time even when the link does not', async () => {
  const appliance = await boot();
  await broker.next('installed');
  broker.stop = () => new Promise(() => {});
  const closing = appliance.close();
  await clock.advance(10_000);
  await expect(closing).resolves.toBeUndefined();
});

async function boot(change: Partial<{ vault: ApplianceOptions['vault']; addresses: AddressSource }> = {}) {
  const appliance = await startAppliance({
    link: broker,
    vault,
    clock,
    random: seededRandom(1),
    trustedRoots: broker.rootPem,
    addresses: fixedAddresses(LAN),
    ...change,
  });
  cleanUp.push(() => appliance.close());
  return appliance;
}

async function store(credential: Awaited<ReturnType<TestBroker['credential']>>): Promise<void> {
  await new CertificateStore({ vault, reader: x509Reader(new TrustedRoots([])) }).install(credential);
}

async function serve(appliance: Appliance): Promise<TlsServer> {
  const server = await appliance.serve((_, response) => void response.end(), { port: 0, host: '127.0.0.1' });
  cleanUp.push(() => server.close());
  return server;
}

function next<K extends keyof ApplianceEvents>(appliance: Appliance, kind: K): Promise<ApplianceEvents[K]> {
  return new Promise((resolve) => {
    const remove = appliance.on(kind, (value) => {
      remove();
      resolve(value);
    });
  });
}

async function shownBy(server: TlsServer): Promise<string | undefined> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const socket = connect({ port: address.port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subjectaltname } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}
