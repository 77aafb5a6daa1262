/** Writes one X.509 certificate (RFC 5280) for a key of ours to sign. */
import { hash, sign, type KeyObject } from 'node:crypto';
import { TAG, bitString, oid, sequence, tagged } from '../der.ts';
import { publicKeyInfoOf } from './public-key-info.ts';

export interface CertificateContent {
  readonly serial: Uint8Array;
  /** Common names; a subject without one is left empty. */
  readonly issuer: string;
  readonly subject?: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: KeyObject;
  /** DER of each. */
  readonly extensions: readonly Uint8Array[];
}

/** DER of an ECDSA signature with P-256 and SHA-256 over these bytes. */
export type SignBytes = (bytes: Uint8Array) => Uint8Array;

export function signWith(key: KeyObject): SignBytes {
  return (bytes) => sign('sha256', bytes, { key, dsaEncoding: 'der' });
}

/** DER of the certificate, signed with ECDSA P-256. */
export function writeCertificate(content: CertificateContent, signBytes: SignBytes): Buffer {
  const toBeSigned = sequence(
    VERSION_3,
    tagged(TAG.integer, content.serial),
    ECDSA_WITH_SHA256,
    nameOf(content.issuer),
    sequence(timeOf(content.notBeforeMs), timeOf(content.notAfterMs)),
    nameOf(content.subject),
    publicKeyInfoOf(content.publicKey),
    tagged(EXTENSIONS, sequence(...content.extensions)),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(signBytes(toBeSigned)));
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Buffer {
  const authority = isAuthority ? [TRUE] : [];
  const length = pathLength === undefined ? [] : [tagged(TAG.integer, Uint8Array.of(pathLength))];
  return extension(OID.basicConstraints, true, sequence(...authority, ...length));
}

/** Bits of RFC 5280 §4.2.1.3 from the most significant one: 0 is digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...bits: readonly number[]): Buffer {
  const octet = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension(OID.keyUsage, true, bitString(Uint8Array.of(octet), 7 - Math.max(...bits)));
}

export function serverAuth(): Buffer {
  return extension(OID.extendedKeyUsage, false, sequence(OID.serverAuth));
}

export function subjectKeyIdentifier(key: KeyObject): Buffer {
  return extension(OID.subjectKeyIdentifier, false, tagged(TAG.octetString, keyIdentifier(key)));
}

export function authorityKeyIdentifier(issuerKey: KeyObject): Buffer {
  return extension(OID.authorityKeyIdentifier, false, sequence(tagged(KEY_IDENTIFIER, keyIdentifier(issuerKey))));
}

/** @param isCritical RFC 5280 §4.2.1.6: when the subject is empty. */
export function alternativeNames(
  names: readonly string[],
  addresses: readonly Uint8Array[],
  isCritical: boolean,
): Buffer {
  const dns = names.map((name) => tagged(DNS_NAME, Buffer.from(name)));
  const ip = addresses.map((address) => tagged(IP_ADDRESS, address));
  return extension(OID.subjectAltName, isCritical, sequence(...dns, ...ip));
}

export function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 over the public key's bits. */
export function keyIdentifier(key: KeyObject): Buffer {
  return hash('sha256', publicKeyBits(publicKeyInfoOf(key)), 'buffer').subarray(0, 20);
}

const TRUE = tagged(TAG.boolean, Uint8Array.of(0xff));
/** RFC 5280 §4.1: `[0] version`, v3 being 2; `[3] extensions`. */
const VERSION_3 = Buffer.from('a003020102', 'hex');
const EXTENSIONS = 0xa3;
/** RFC 5280 §4.2.1.1: `[0] keyIdentifier`; §4.2.1.6: `[2] dNSName`, `[7] iPAddress`. */
const KEY_IDENTIFIER = 0x80;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const OID = {
  commonName: oid('550403'),
  subjectKeyIdentifier: oid('551d0e'),
  keyUsage: oid('551d0f'),
  subjectAltName: oid('551d11'),
  basicConstraints: oid('551d13'),
  authorityKeyIdentifier: oid('551d23'),
  extendedKeyUsage: oid('551d25'),
  /** 1.3.6.1.5.5.7.3.1. */
  serverAuth: oid('2b06010505070301'),
} as const;
/** 1.2.840.10045.4.3.2, without parameters (RFC 5758 §3.2). */
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

/** X.690 §11.5: what is not critical does not say so. */
function extension(id: Buffer, isCritical: boolean, content: Buffer): Buffer {
  return sequence(id, ...(isCritical ? [TRUE] : []), tagged(TAG.octetString, content));
}

function nameOf(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(tagged(TAG.set, sequence(OID.commonName, tagged(TAG.utf8String, Buffer.from(commonName)))));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
function timeOf(epochMs: number): Buffer {
  const digits = `${new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  if (digits >= '2050') return tagged(TAG.generalizedTime, Buffer.from(digits));
  return tagged(TAG.utcTime, Buffer.from(digits.slice(2)));
}

/** RFC 5280 §4.1: a sequence of the algorithm, itself a sequence, and the bits. */
function publicKeyBits(publicKeyInfo: Buffer): Buffer {
  const algorithm = contentsOf(publicKeyInfo);
  const key = algorithm.subarray(contentsOf(algorithm).byteOffset - algorithm.byteOffset + lengthOf(algorithm));
  // Its first octet says how many bits of the last are unused: none.
  return contentsOf(key).subarray(1);
}

/** From where the contents of the element begin to the end of the bytes. */
function contentsOf(element: Buffer): Buffer {
  const first = element[1] ?? 0;
  return element.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

function lengthOf(element: Buffer): number {
  const first = element[1] ?? 0;
  return first < 0x80 ? first : element.readUIntBE(2, first & 0x7f);
}
