/** The identity as three files in a folder that firmware or factory filled. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LanyardError, describeError } from '../kernel/errors.ts';
import { isDeviceId } from '../protocol/topics.ts';
import { nodeDisk, systemCodeOf } from '../vault/disk.ts';
import { replaceDurably } from '../vault/replace-durably.ts';
import { makeIdentityRequest } from './identity-request.ts';
import type { Identity } from './identity.ts';
import { makeKeyPair } from './key-pair.ts';

const KEY = 'identity.key';
const CERTIFICATE = 'identity.crt';
const BROKER_ROOT = 'broker-root.crt';

/** A chain with RSA intermediates comes to 10 kB. */
const FILE_BYTES = 64 * 1024;
const GROUP_AND_OTHERS = 0o077;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the identity and checks that its parts belong together. Dates are not looked at: the appliance's clock may lie,
 * and an identity is revoked by the registry, not by a date.
 * @throws LanyardError `identity-unreadable`, saying which file and why.
 */
export async function fileIdentity(directory: string): Promise<Identity> {
  const key = await readKey(directory);
  if (key === undefined) throw unreadable(directory, KEY, 'does not exist');
  const certificatePem = await readText(directory, CERTIFICATE);
  const leaf = parseCertificates(directory, CERTIFICATE, certificatePem)[0];
  if (!leaf?.checkPrivateKey(key)) throw unreadable(directory, CERTIFICATE, `was not issued for the key in ${KEY}`);
  const deviceId = deviceIdOf(leaf);
  if (deviceId === undefined) {
    throw unreadable(directory, CERTIFICATE, 'has no single common name of 8 to 64 characters a-z, 0-9 and hyphen');
  }
  const brokerRootPem = await readText(directory, BROKER_ROOT);
  if (!parseCertificates(directory, BROKER_ROOT, brokerRootPem).every((root) => root.ca)) {
    throw unreadable(directory, BROKER_ROOT, 'is not the certificate of a CA');
  }
  return { deviceId, certificatePem, keyPem: pkcs8Of(key), brokerRootPem };
}

/**
 * Makes the key of the identity unless there is one, and returns the PEM request for its certificate.
 * Safe to repeat: after a power cut the same key asks again.
 */
export async function createIdentityKey(directory: string, deviceId: string): Promise<string> {
  if (!isDeviceId(deviceId)) throw new LanyardError('appliance-id-invalid');
  const existing = await readKey(directory);
  const keyPem = existing === undefined ? (await makeKeyPair()).keyPem : pkcs8Of(existing);
  if (existing === undefined) await writeKey(directory, keyPem);
  return makeIdentityRequest({ keyPem, deviceId });
}

async function readKey(directory: string): Promise<KeyObject | undefined> {
  const mode = await modeOf(directory, KEY);
  if (mode === undefined) return undefined;
  // Windows has no such bits and reports 0666 for every file.
  if (process.platform !== 'win32' && (mode & GROUP_AND_OTHERS) !== 0) {
    throw unreadable(directory, KEY, 'can be read by others than its owner; chmod 600 it');
  }
  const pem = await readText(directory, KEY);
  try {
    return createPrivateKey(pem);
  } catch {
    // Without the cause: what OpenSSL says about a key is of no use, and nothing of a key belongs in a log.
    throw unreadable(directory, KEY, 'is not an unencrypted private key in PEM');
  }
}

/** Undefined only when there is certainly no file: a key that is merely out of reach must never be replaced. */
async function modeOf(directory: string, file: string): Promise<number | undefined> {
  try {
    return (await stat(join(directory, file))).mode;
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw unreadable(directory, file, describeError(cause), cause);
  }
}

async function readText(directory: string, file: string): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await nodeDisk.read(join(directory, file), FILE_BYTES);
  } catch (cause) {
    throw unreadable(directory, file, describeError(cause), cause);
  }
  if (bytes === undefined) throw unreadable(directory, file, 'does not exist');
  if (bytes.byteLength > FILE_BYTES) throw unreadable(directory, file, `has more than ${FILE_BYTES} bytes`);
  return Buffer.from(bytes).toString('latin1');
}

function parseCertificates(directory: string, file: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw unreadable(directory, file, 'contains no certificate in PEM');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw unreadable(directory, file, 'contains a certificate that cannot be read', cause);
  }
}

function deviceIdOf(certificate: X509Certificate): string | undefined {
  const commonNames = certificate.subject.split('\n').filter((line) => line.startsWith('CN='));
  const id = commonNames[0]?.slice('CN='.length);
  return id !== undefined && commonNames.length === 1 && isDeviceId(id) ? id : undefined;
}

function pkcs8Of(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

async function writeKey(directory: string, keyPem: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceDurably(nodeDisk, directory, KEY, Buffer.from(keyPem));
  } catch (cause) {
    throw unreadable(directory, KEY, `could not be written: ${describeError(cause)}`, cause);
  }
}

function unreadable(directory: string, file: string, why: string, cause?: unknown): LanyardError {
  const message = `${join(directory, file)} ${why}`;
  return new LanyardError('identity-unreadable', {
    message,
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  });
}
