/** A stopgap certificate, so that port 443 answers before the first real certificate has arrived. */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { Integer, OctetString, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  GeneralNames,
  Time,
  TimeType,
} from 'pkijs';
import { cryptoEngine } from '../identity/engine.ts';
import { makeKeyPair } from '../identity/key-pair.ts';
import type { TlsPair } from './tls-pair.ts';

export interface SelfSignedWish {
  readonly names: readonly string[];
  /** IP address literals; anything else is left out. */
  readonly addresses: readonly string[];
  readonly nowMs: number;
}

/** Shown by browsers as the issuer of what they warn about. */
const COMMON_NAME = 'lanyard self-signed';
const DAY_MS = 24 * 60 * 60_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const OID = {
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
} as const;

/** A new key with a certificate for a year. It lives in memory only: flash is for what is worth keeping. */
export async function makeSelfSigned(wish: SelfSignedWish): Promise<TlsPair> {
  const engine = await cryptoEngine();
  const { keyPem } = await makeKeyPair();
  const pkcs8 = new Uint8Array(createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' }));
  const spki = new Uint8Array(createPublicKey(keyPem).export({ format: 'der', type: 'spki' }));
  const signingKey = await engine.importKey('pkcs8', pkcs8, P256, false, ['sign']);
  const publicKey = await engine.importKey('spki', spki, P256, true, ['verify']);
  const certificate = new Certificate({
    version: 2,
    serialNumber: new Integer({ valueHex: positive(randomBytes(16)) }),
  });
  certificate.subject.typesAndValues.push(commonName());
  certificate.issuer.typesAndValues.push(commonName());
  // A day back, for visitors whose clock is behind.
  certificate.notBefore = time(wish.nowMs - DAY_MS);
  certificate.notAfter = time(wish.nowMs + 365 * DAY_MS);
  certificate.extensions = extensionsFor(wish);
  await certificate.subjectPublicKeyInfo.importKey(publicKey, engine);
  await certificate.sign(signingKey, 'SHA-256', engine);
  return { keyPem, chainPem: toPem(Buffer.from(certificate.toSchema(true).toBER())) };
}

function extensionsFor({ names, addresses }: SelfSignedWish): Extension[] {
  const general = [
    ...names.map((value) => new GeneralName({ type: 2, value })),
    ...addresses.flatMap((address) => {
      const bytes = addressBytes(address);
      return bytes ? [new GeneralName({ type: 7, value: new OctetString({ valueHex: bytes.buffer }) })] : [];
    }),
  ];
  const constraints = new BasicConstraints({ cA: false }).toSchema().toBER(false);
  const usages = new ExtKeyUsage({ keyPurposes: [OID.serverAuthentication] }).toSchema().toBER(false);
  const extensions = [
    new Extension({ extnID: OID.basicConstraints, critical: true, extnValue: constraints }),
    new Extension({ extnID: OID.extendedKeyUsage, critical: false, extnValue: usages }),
  ];
  if (general.length === 0) return extensions;
  const extnValue = new GeneralNames({ names: general }).toSchema().toBER(false);
  return [...extensions, new Extension({ extnID: OID.subjectAltName, critical: false, extnValue })];
}

function commonName(): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: OID.commonName, value: new Utf8String({ value: COMMON_NAME }) });
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after. */
function time(milliseconds: number): Time {
  const value = new Date(milliseconds);
  value.setUTCMilliseconds(0);
  return new Time({ type: value.getUTCFullYear() < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime, value });
}

/** RFC 5280 §4.1.2.2: a serial number is positive, and its DER has no spare zero in front. */
function positive(bytes: Buffer): ArrayBuffer {
  const [first = 0, ...rest] = bytes;
  return Uint8Array.from([(first & 0x7f) | 0x40, ...rest]).buffer;
}

/** The network bytes of an address literal (RFC 5280 §4.2.1.6), undefined when it is none. */
export function addressBytes(literal: string): Uint8Array<ArrayBuffer> | undefined {
  const [address = ''] = literal.split('%');
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address)) return undefined;
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const gap = Array.from({ length: 8 - front.length - back.length }, () => 0);
  return Uint8Array.from([...front, ...gap, ...back].flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of a part of an IPv6 literal; the last may be written as IPv4 (RFC 4291 §2.2). */
function groups(part: string): readonly number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
