/** What a stranger, or an appliance gone bad, can try on the wire: each try is refused, logged once, and changes nothing. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { encodeUp } from '@lanyard/sdk/protocol';
import type { Hello } from '@lanyard/sdk/protocol';
import { openTown } from '@lanyard/simulator';
import type { Town } from '@lanyard/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrivateCa, PrivateCa } from '../../broker/src/pki/private-ca.ts';
import { makeKeyPair } from '../../sdk/src/identity/key-pair.ts';
import { makeSigningRequest } from '../../sdk/src/identity/signing-request.ts';
import { dumpDatabase } from '../support/database-dump.ts';
import { LogFile } from '../support/log-file.ts';
import type { LogLine } from '../support/log-file.ts';
import { MqttDevice, readPapers } from './mqtt-device.ts';
import type { Papers } from './mqtt-device.ts';

const PATIENCE_MS = 30_000;
/** MQTT 3.1.1 § 3.2.2.3 and § 3.9.3. */
const NOT_AUTHORIZED = 'refused with 5';
const SUBSCRIPTION_REFUSED = 0x80;

let town: Town;
let log: LogFile;
let port: number;
let mallory: MqttDevice;
let victim: MqttDevice;
let mallorysName: string;
let victimsName: string;
let mallorysPapers: Required<Papers>;
let before: ReturnType<typeof dumpDatabase>;
let attacks = 0;

beforeAll(async () => {
  town = await openTown({ appliances: 2, sites: 1, seed: 1 });
  log = new LogFile(town.broker.logPath);
  port = town.door.port;
  const [first, second] = town.appliances;
  if (first === undefined || second === undefined) throw new Error('an empty town');
  mallorysName = first.name;
  victimsName = second.name;
  mallorysPapers = await papersOf(first.deviceId);
  mallory = await connected(first.deviceId, mallorysPapers);
  victim = await connected(second.deviceId, await papersOf(second.deviceId));
  before = dump();
});

afterAll(async () => {
  mallory.end();
  victim.end();
  await town.close();
});

describe('a signing request is refused', () => {
  test('for the name of another appliance', async () => {
    const line = await attack(async () => {
      await mallory.publish('csr', await requestFor([victimsName]));
      expect(await mallory.hear()).toMatchObject({ kind: 'problem', problem: { id: 'try', code: 'name-mismatch' } });
    });
    expect(line).toMatchObject({ msg: 'signing request refused', code: 'csr-names', deviceId: mallory.deviceId });
  });

  test('for one name more than its own', async () => {
    const line = await attack(async () => {
      await mallory.publish('csr', await requestFor([mallorysName, victimsName]));
      expect(await mallory.hear()).toMatchObject({ kind: 'problem', problem: { code: 'name-mismatch' } });
    });
    expect(line).toMatchObject({ msg: 'signing request refused', code: 'csr-names' });
  });

  test('with a broken signature', async () => {
    const der = await signingRequest([mallorysName]);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const line = await attack(async () => {
      await mallory.publish('csr', encodeUp({ kind: 'csr', csr: { id: 'try', der } }));
      expect(await mallory.hear()).toMatchObject({ kind: 'problem', problem: { code: 'csr-invalid' } });
    });
    expect(line).toMatchObject({ msg: 'signing request refused', code: 'csr-invalid' });
  });

  test('that is not DER', async () => {
    const line = await attack(async () => {
      await mallory.publish('csr', encodeUp({ kind: 'csr', csr: { id: 'try', der: randomBytes(400) } }));
      expect(await mallory.hear()).toMatchObject({ kind: 'problem', problem: { code: 'csr-invalid' } });
    });
    expect(line).toMatchObject({ msg: 'signing request refused', code: 'csr-invalid' });
  });
});

describe('a message is refused', () => {
  test('that is not JSON', async () => {
    const line = await attack(async () => {
      await mallory.publish('csr', Buffer.from('-----BEGIN CERTIFICATE REQUEST-----'));
      expect(await mallory.hear()).toMatchObject({ kind: 'problem', problem: { code: 'bad-request' } });
    });
    expect(line).toMatchObject({ msg: 'a message was refused', code: 'bad-request' });
  });

  test('in the name of another appliance: it is acknowledged and leads to nothing', async () => {
    const request = await requestFor([victimsName]);
    const line = await attack(() => mallory.publish('csr', request, victim.deviceId));
    expect(line).toMatchObject({ msg: 'an appliance tried what it may not', what: 'publish' });
    expect([mallory.unheard, victim.unheard]).toEqual([0, 0]);
  });

  test('of a megabyte, with the end of the connection', async () => {
    const line = await attack(async () => {
      mallory.shout('csr', Buffer.alloc(1024 * 1024, 'a'));
      await mallory.closed();
    });
    expect(line).toMatchObject({ msg: 'MQTT connection ended with a fault', reason: 'too-large' });
    mallory.end();
    mallory = await listening(mallory.deviceId, mallorysPapers);
  });
});

test('a subscription with a wildcard is refused', async () => {
  const line = await attack(async () => {
    expect(await mallory.trySubscribe('lanyard/v1/d/+/down/#')).toBe(SUBSCRIPTION_REFUSED);
  });
  expect(line).toMatchObject({ msg: 'an appliance tried what it may not', what: 'subscribe' });
});

describe('a connection is refused', () => {
  test('of an appliance that was never enrolled', async () => {
    const line = await attack(async () => {
      expect(await arrive('never-enrolled', await forge('never-enrolled'))).toBe(NOT_AUTHORIZED);
    });
    expect(line).toMatchObject({ msg: 'an appliance was not admitted', reason: 'unknown' });
  });

  test('of a stolen id with another key, and the owner stays connected', async () => {
    const line = await attack(async () => {
      expect(await arrive(victim.deviceId, await forge(victim.deviceId))).toBe(NOT_AUTHORIZED);
    });
    expect(line).toMatchObject({ msg: 'an appliance was not admitted', reason: 'other-key' });
    expect(await victim.trySubscribe(`lanyard/v1/d/${victim.deviceId}/down/state`)).toBe(1);
  });

  test('that uses another’s id with its own certificate', async () => {
    const line = await attack(async () => {
      expect(await arrive(victim.deviceId, mallorysPapers)).toBe(NOT_AUTHORIZED);
    });
    expect(line).toMatchObject({ msg: 'an appliance was not admitted', deviceId: mallory.deviceId });
  });

  test('with a certificate of another CA', async () => {
    const world = { clock: systemClock, random: systemRandom };
    const foreign = new PrivateCa(createPrivateCa('Lanyard private CA', world), world);
    const line = await attack(async () => {
      const papers = { ...(await forge(victim.deviceId, foreign)), brokerRootPem: mallorysPapers.brokerRootPem };
      expect(await arrive(victim.deviceId, papers)).toBe('closed');
    });
    expect(line).toMatchObject({ msg: 'MQTT connection refused', sourceAddress: '203.0.113.9' });
  });

  test('without a certificate', async () => {
    const line = await attack(async () => {
      expect(await arrive(victim.deviceId, { brokerRootPem: mallorysPapers.brokerRootPem })).toBe('closed');
    });
    expect(line).toMatchObject({ msg: 'MQTT connection refused', reason: 'no client certificate' });
  });
});

test('after all that the database is what it was, and the log has one line for each try', async () => {
  expect(dump()).toEqual(before);
  mallory.end();
  victim.end();
  await town.broker.stop();
  expect(await complaints()).toHaveLength(attacks);
  expect(attacks).toBe(13);
});

/** @returns the one line that the try left in the log. */
async function attack(tries: () => Promise<void>): Promise<LogLine | undefined> {
  attacks += 1;
  await tries();
  await log.until((lines) => lines.filter(isComplaint).length >= attacks, AbortSignal.timeout(PATIENCE_MS));
  const lines = await complaints();
  expect(lines).toHaveLength(attacks);
  return lines.at(-1);
}

async function complaints(): Promise<readonly LogLine[]> {
  return (await log.lines()).filter(isComplaint);
}

/** Pino's number for `warn` is 40; more is worse. */
function isComplaint({ level }: LogLine): boolean {
  return typeof level === 'number' && level >= 40;
}

async function connected(deviceId: string, papers: Papers): Promise<MqttDevice> {
  const device = await listening(deviceId, papers);
  const hello: Hello = {
    id: 'first',
    bootId: 'first',
    clockMs: 0,
    addresses: [],
    sdkVersion: 'none',
    rebinding: 'unknown',
  };
  await device.publish('hello', encodeUp({ kind: 'hello', hello }));
  expect(await device.hear()).toMatchObject({ kind: 'state', state: { todo: { kind: 'request' } } });
  return device;
}

async function listening(deviceId: string, papers: Papers): Promise<MqttDevice> {
  const device = new MqttDevice(port, deviceId, papers);
  expect(await device.outcome()).toBe('connected');
  await device.listen();
  return device;
}

async function arrive(deviceId: string, papers: Papers): Promise<string> {
  const device = new MqttDevice(port, deviceId, papers);
  const outcome = await device.outcome();
  device.end();
  return outcome;
}

async function requestFor(names: readonly string[]): Promise<Buffer> {
  return encodeUp({ kind: 'csr', csr: { id: 'try', der: await signingRequest(names) } });
}

async function signingRequest(names: readonly string[]): Promise<Uint8Array> {
  return await makeSigningRequest({ ...(await makeKeyPair()), names });
}

function papersOf(deviceId: string): Promise<Required<Papers>> {
  return readPapers(join(town.directory, 'appliances', deviceId));
}

/** What somebody could show who got the private CA to sign the wrong thing. */
async function forge(deviceId: string, authority?: PrivateCa): Promise<Papers> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const issuer = authority ?? (await vendorsAuthority());
  return { keyPem, certificatePem: await issuer.issueIdentity(deviceId, { spki }), brokerRootPem: issuer.rootPem };
}

async function vendorsAuthority(): Promise<PrivateCa> {
  const certificatePem = await readFile(join(town.directory, 'data', 'private-ca.crt'), 'utf8');
  const keyPem = await readFile(join(town.directory, 'data', 'private-ca.key'), 'utf8');
  const pair = { certificatePem, keyPem };
  return new PrivateCa(pair, { clock: systemClock, random: systemRandom });
}

function dump(): ReturnType<typeof dumpDatabase> {
  return dumpDatabase(join(town.directory, 'data', 'lanyard.sqlite'));
}
