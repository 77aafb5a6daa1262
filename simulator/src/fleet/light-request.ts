/** Keys and PKCS#10 requests (RFC 2986) by Node's OpenSSL alone: tens of thousands, at a tenth of what the SDK's cost. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { TAG, bitString, oid, sequence, tagged } from '../world/der.ts';

export interface RequestKey {
  /** DER of its SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** DER of the ECDSA signature with P-256 and SHA-256. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

export interface LightKey extends RequestKey {
  readonly privateKey: KeyObject;
  /** What the broker knows the key by: SHA-256 of that, lower-case hex. */
  readonly hash: string;
}

export function makeLightKey(): LightKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signBytes = (bytes: Uint8Array): Buffer => sign('sha256', bytes, privateKey);
  return { privateKey, publicKey: spki, sign: signBytes, hash: createHash('sha256').update(spki).digest('hex') };
}

/** A request for the identity certificate: the subject is CN=deviceId. PEM. */
export function identityRequest(key: RequestKey, deviceId: string): string {
  const commonName = sequence(COMMON_NAME, tagged(TAG.utf8String, Buffer.from(deviceId)));
  const der = request(key, sequence(tagged(TAG.set, commonName)), Buffer.alloc(0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n');
}

/** A request for exactly these names. DER. */
export function namesRequest(key: RequestKey, names: readonly string[]): Buffer {
  const general = sequence(...names.map((name) => tagged(DNS_NAME, Buffer.from(name))));
  const extensions = sequence(sequence(SUBJECT_ALT_NAME, tagged(TAG.octetString, general)));
  return request(key, sequence(), sequence(EXTENSION_REQUEST, tagged(TAG.set, extensions)));
}

function request({ publicKey, sign: signBytes }: RequestKey, subject: Buffer, attributes: Buffer): Buffer {
  const info = sequence(VERSION_0, subject, publicKey, tagged(ATTRIBUTES, attributes));
  return sequence(info, sequence(ECDSA_WITH_SHA256), bitString(signBytes(info)));
}

/** `[2] dNSName` of a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 0x82;
/** `[0] attributes` (RFC 2986 §4.1). */
const ATTRIBUTES = 0xa0;

const VERSION_0 = Buffer.from('020100', 'hex');
/** 2.5.4.3. */
const COMMON_NAME = oid('550403');
/** 2.5.29.17. */
const SUBJECT_ALT_NAME = oid('551d11');
/** 1.2.840.113549.1.9.14. */
const EXTENSION_REQUEST = oid('2a864886f70d01090e');
/** 1.2.840.10045.4.3.2. */
const ECDSA_WITH_SHA256 = oid('2a8648ce3d040302');
