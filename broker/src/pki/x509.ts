/** Writes X.509 certificates (RFC 5280): pkijs for the structure, OpenSSL for the signature. */
import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';
import { BitString, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AlgorithmIdentifier,
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  Time,
  TimeType,
} from 'pkijs';
import { isCertificateName } from './dns-name.ts';

export interface CertificateContent {
  readonly serial: Uint8Array;
  readonly issuer: RelativeDistinguishedNames;
  readonly subject: RelativeDistinguishedNames;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** What a certificate says about the one that signed it. */
export interface Issuer {
  /** As its own certificate has it, byte for byte: verifiers may compare the encodings (RFC 5280 §7.1). */
  readonly name: RelativeDistinguishedNames;
  readonly keyIdentifier: ArrayBuffer;
  readonly notAfterMs: number;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const PURPOSE = { clientAuth: '1.3.6.1.5.5.7.3.2', serverAuth: '1.3.6.1.5.5.7.3.1' } as const;

/** PEM of the certificate, signed with ECDSA P-256 and SHA-256. */
export function writeCertificate(content: CertificateContent, signingKey: KeyObject): string {
  const algorithm = new AlgorithmIdentifier({ algorithmId: ECDSA_WITH_SHA256 });
  const certificate = new Certificate({
    version: 2,
    serialNumber: new Integer({ valueHex: bufferOf(content.serial) }),
    signature: algorithm,
    signatureAlgorithm: algorithm,
    issuer: content.issuer,
    subject: content.subject,
    notBefore: time(content.notBeforeMs),
    notAfter: time(content.notAfterMs),
    subjectPublicKeyInfo: PublicKeyInfo.fromBER(bufferOf(content.spki)),
    extensions: [...content.extensions],
  });
  const toBeSigned = new Uint8Array(certificate.encodeTBS().toBER(false));
  certificate.tbsView = toBeSigned;
  certificate.signatureValue = new BitString({ valueHex: bufferOf(sign('sha256', toBeSigned, signingKey)) });
  return pem(new Uint8Array(certificate.toSchema(false).toBER(false)));
}

/** @param der of the issuer's own certificate, perhaps written by another program. */
export function readIssuer(der: Uint8Array): Issuer {
  const { subject, subjectPublicKeyInfo, extensions, notAfter } = Certificate.fromBER(bufferOf(der));
  // RFC 5280 §4.2.1.1: it is the issuer's to choose how its key is identified.
  const own: unknown = extensions?.find(({ extnID }) => extnID === SUBJECT_KEY_IDENTIFIER)?.parsedValue;
  const spki = new Uint8Array(subjectPublicKeyInfo.toSchema().toBER(false));
  const identifier = own instanceof OctetString ? bufferOf(own.valueBlock.valueHexView) : keyIdentifier(spki);
  return { name: subject, keyIdentifier: identifier, notAfterMs: notAfter.value.getTime() };
}

export function commonName(value: string): RelativeDistinguishedNames {
  const attribute = new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value }) });
  return new RelativeDistinguishedNames({ typesAndValues: [attribute] });
}

export function authorityConstraints(): Extension {
  return extension('2.5.29.19', true, new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema());
}

/** Bits of RFC 5280 §4.2.1.3: digitalSignature is the first, keyCertSign and cRLSign the sixth and seventh. */
export function keyUsage(purpose: 'sign-certificates' | 'authenticate'): Extension {
  const [octet, unusedBits] = purpose === 'authenticate' ? [0x80, 7] : [0x06, 1];
  return extension('2.5.29.15', true, new BitString({ valueHex: Uint8Array.of(octet).buffer, unusedBits }));
}

export function extendedKeyUsage(purpose: keyof typeof PURPOSE): Extension {
  return extension('2.5.29.37', false, new ExtKeyUsage({ keyPurposes: [PURPOSE[purpose]] }).toSchema());
}

export function subjectKeyIdentifier(spki: Uint8Array): Extension {
  return extension(SUBJECT_KEY_IDENTIFIER, false, new OctetString({ valueHex: keyIdentifier(spki) }));
}

export function authorityKeyIdentifier(issuerKeyIdentifier: ArrayBuffer): Extension {
  const identifier = new OctetString({ valueHex: issuerKeyIdentifier });
  return extension('2.5.29.35', false, new AuthorityKeyIdentifier({ keyIdentifier: identifier }).toSchema());
}

/**
 * @param names host names and IP literals.
 * @throws LanyardError `config-invalid` for anything else, and for none.
 */
export function alternativeNames(names: readonly string[]): Extension {
  if (names.length === 0) throw new LanyardError('config-invalid', { message: 'a server certificate needs a name' });
  const altNames = names.map((name) => {
    const octets = addressOctets(name);
    if (octets) return new GeneralName({ type: 7, value: new OctetString({ valueHex: bufferOf(octets) }) });
    const host = name.toLowerCase();
    if (isCertificateName(host)) return new GeneralName({ type: 2, value: host });
    throw new LanyardError('config-invalid', { message: `${name} is neither a host name nor an IP address` });
  });
  return extension('2.5.29.17', false, new AltName({ altNames }).toSchema());
}

/** The 4 or 16 octets of an IP literal; undefined for a host name. */
function addressOctets(name: string): Uint8Array | undefined {
  if (isIPv4(name)) return Uint8Array.from(name.split('.').map(Number));
  // A zone (`fe80::1%eth0`) means something on one machine only.
  if (!isIPv6(name) || name.includes('%')) return undefined;
  // The URL parser writes it by RFC 5952, without an embedded IPv4 tail: groups are left to fill in.
  const [head = '', tail = ''] = new URL(`http://[${name}]/`).hostname.slice(1, -1).split('::');
  const [front, back] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - (front?.length ?? 0) - (back?.length ?? 0) }, () => '0');
  const groups = [...(front ?? []), ...zeros, ...(back ?? [])].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

function extension(extnID: string, critical: boolean, content: { toBER(sizeOnly?: boolean): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: content.toBER(false) });
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
function time(epochMs: number): Time {
  // Whole seconds: a fraction is not allowed.
  const value = new Date(Math.floor(epochMs / 1000) * 1000);
  return new Time({ type: value.getUTCFullYear() < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime, value });
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 over the public key's bits. */
function keyIdentifier(spki: Uint8Array): ArrayBuffer {
  const bits = PublicKeyInfo.fromBER(bufferOf(spki)).subjectPublicKey.valueBlock.valueHexView;
  return bufferOf(createHash('sha256').update(bits).digest().subarray(0, 20));
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A copy of its own: asn1js takes the whole buffer, and Node's are slices of a pool. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
