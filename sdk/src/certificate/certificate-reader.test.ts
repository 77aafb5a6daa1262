import { expect, test, describe, beforeEach } from 'vitest';
import { fixedAddresses } from '../address/fixed-addresses.ts';
import { startAppliance } from '../appliance.ts';
import type { Appliance } from '../appliance.ts';
import { memoryVault } from '../testing/memory-vault.ts';
import type { Vault } from '../vault/vault.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { x509Reader } from './certificate-reader.ts';
import type { CertificateReader } from './certificate-reader.ts';
import { CertificateStore } from './certificate-store.ts';
import type { Credential } from './credential.ts';
import { refusal } from './credential.ts';
import { TestBroker } from './test-broker.ts';
import { TrustedRoots } from './trusted-roots.ts';

let broker: TestBroker;

beforeEach(async () => {
  broker = await TestBroker.make();
});

describe('X.509', () => {
  test('reads a pair, names its key, and lets it through when its root is trusted', async () => {
    const reader = x509Reader(new TrustedRoots([broker.rootPem]));
    const pair = await broker.credential();
    const { keyPem, chainPem } = pair;
    expect(reader.read(keyPem, chainPem)).toEqual(pair);
    expect(reader.keyHash(keyPem)).toBe(pair.keyHash);
    expect(reader.verify(candidateOf(pair), { nowMs: broker.nowMs, isPlausible: true })).toEqual(pair);
  });

  test('trusts nobody but the roots that it was given', async () => {
    const stranger = await TestBroker.make();
    const pair = await broker.credential();
    const reader = x509Reader(new TrustedRoots([stranger.rootPem]));
    expect(() => reader.verify(candidateOf(pair), { nowMs: broker.nowMs, isPlausible: true })).toThrow(
      expect.objectContaining({ code: 'certificate-refused', details: { check: 'trust' } }),
    );
    expect(reader.read(pair.keyPem, pair.chainPem)).toEqual(pair);
  });

  test.each(['', 'no key'])('%o is no key', (keyPem) => {
    expect(() => x509Reader(new TrustedRoots([])).keyHash(keyPem)).toThrow(
      expect.objectContaining({ code: 'certificate-refused', details: { check: 'key' } }),
    );
  });
});

describe('an appliance', () => {
  test('without a reader of its own verifies X.509 by the roots that it was given', async () => {
    const stranger = await TestBroker.make();
    expect((await firstOutcome({ trustedRoots: broker.rootPem })).kind).toBe('certificate');
    const refused = await firstOutcome({ trustedRoots: stranger.rootPem });
    expect(refused).toMatchObject({ kind: 'problem', problem: { code: 'certificate-refused' } });
  });

  test('asks its own reader in place of that, before it installs', async () => {
    const { reader, asked } = listening(x509Reader(new TrustedRoots([broker.rootPem])));
    const outcome = await firstOutcome({ certificates: reader });
    expect(outcome.kind).toBe('certificate');
    expect(asked).toContain('verify');
    expect(outcome.appliance.tlsPair()).toBeDefined();
  });

  test('installs nothing that its own reader refuses, whoever signed it', async () => {
    const sound = x509Reader(new TrustedRoots([broker.rootPem]));
    const refusing: CertificateReader = {
      ...sound,
      verify: () => {
        throw refusal('names', 'not today');
      },
    };
    const outcome = await firstOutcome({ certificates: refusing, trustedRoots: broker.rootPem });
    expect(outcome).toMatchObject({
      kind: 'problem',
      problem: { code: 'certificate-refused', message: expect.stringContaining('not today') },
    });
    expect(outcome.appliance.tlsPair()).toBeUndefined();
  });

  test('reads its vault by it at the next boot', async () => {
    const vault = memoryVault();
    const sound = x509Reader(new TrustedRoots([]));
    await new CertificateStore({ vault, reader: sound }).install(await broker.credential());
    const { reader, asked } = listening(sound);
    broker.isReachable = false;
    const appliance = await boot({ vault, certificates: reader });
    expect(asked).toContain('read');
    expect(appliance.status().kind).toBe('current');
    await appliance.close();
  });
});

interface Wish {
  readonly vault?: Vault;
  readonly certificates?: CertificateReader;
  readonly trustedRoots?: string;
}

function candidateOf({ keyPem, chainPem, fingerprint, names }: Credential) {
  return { keyPem, chainPem, fingerprint, names };
}

function listening(reader: CertificateReader): { readonly reader: CertificateReader; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    reader: {
      read: (...given) => (asked.push('read'), reader.read(...given)),
      keyHash: (...given) => (asked.push('keyHash'), reader.keyHash(...given)),
      verify: (...given) => (asked.push('verify'), reader.verify(...given)),
    },
  };
}

/** Boots and waits for the first certificate or problem. */
async function firstOutcome(options: Wish) {
  broker = Object.assign(broker, { isReachable: false });
  const appliance = await boot(options);
  const outcome = new Promise<{ kind: 'certificate' } | { kind: 'problem'; problem: unknown }>((resolve) => {
    appliance.on('certificate', () => resolve({ kind: 'certificate' }));
    appliance.on(
      'problem',
      (problem) => problem.code !== 'broker-unreachable' && resolve({ kind: 'problem', problem }),
    );
  });
  broker.connect();
  const known = { ...(await outcome), appliance };
  await appliance.close();
  return known;
}

async function boot(options: Wish): Promise<Appliance> {
  return await startAppliance({
    link: broker,
    vault: memoryVault(),
    clock: new VirtualClock(broker.nowMs),
    random: seededRandom(1),
    addresses: fixedAddresses([{ address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true }]),
    ...options,
  });
}
