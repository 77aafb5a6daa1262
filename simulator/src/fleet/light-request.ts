/** Keys and PKCS#10 requests (RFC 2986) by Node's OpenSSL alone: tens of thousands, at a tenth of what the SDK's cost. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

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
  const commonName = sequence(COMMON_NAME, tagged(UTF8_STRING, Buffer.from(deviceId)));
  const der = request(key, sequence(tagged(SET, commonName)), Buffer.alloc(0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n');
}

/** A request for exactly these names. DER. */
export function namesRequest(key: RequestKey, names: readonly string[]): Buffer {
  const general = sequence(...names.map((name) => tagged(DNS_NAME, Buffer.from(name))));
  const extensions = sequence(sequence(SUBJECT_ALT_NAME, tagged(OCTET_STRING, general)));
  return request(key, sequence(), sequence(EXTENSION_REQUEST, tagged(SET, extensions)));
}

function request({ publicKey, sign: signBytes }: RequestKey, subject: Buffer, attributes: Buffer): Buffer {
  const info = sequence(VERSION_0, subject, publicKey, tagged(ATTRIBUTES, attributes));
  const signature = Buffer.concat([NO_UNUSED_BITS, signBytes(info)]);
  return sequence(info, sequence(ECDSA_WITH_SHA256), tagged(BIT_STRING, signature));
}

const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
/** `[2] dNSName` of a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 0x82;
/** `[0] attributes` (RFC 2986 §4.1). */
const ATTRIBUTES = 0xa0;
const NO_UNUSED_BITS = Buffer.from([0]);

const VERSION_0 = Buffer.from('020100', 'hex');
/** 2.5.4.3. */
const COMMON_NAME = Buffer.from('0603550403', 'hex');
/** 2.5.29.17. */
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
/** 1.2.840.113549.1.9.14. */
const EXTENSION_REQUEST = Buffer.from('06092a864886f70d01090e', 'hex');
/** 1.2.840.10045.4.3.2. */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(SEQUENCE, Buffer.concat(parts));
}

/** X.690 §8.1.3: lengths above 127 say how many octets they have. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}
