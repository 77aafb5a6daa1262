/** Writes one X.509 certificate (RFC 5280): pkijs for the structure, node:crypto for the signature. */
import { createHash, sign, type KeyObject } from 'node:crypto';
import * as asn1js from 'asn1js';
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

export interface CertificateContent {
  readonly serial: Uint8Array;
  /** Common names; a subject without one is left empty. */
  readonly issuer: string;
  readonly subject?: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Extension[];
}

/** DER of an ECDSA signature with P-256 and SHA-256 over these bytes. */
export type SignBytes = (bytes: Uint8Array) => Uint8Array;

export function signWith(key: KeyObject): SignBytes {
  return (bytes) => sign('sha256', bytes, { key, dsaEncoding: 'der' });
}

/** DER of the certificate, signed with ECDSA P-256. */
export function writeCertificate(content: CertificateContent, signBytes: SignBytes): Buffer {
  const algorithm = new AlgorithmIdentifier({ algorithmId: OID.ecdsaWithSha256 });
  const certificate = new Certificate({
    version: 2,
    serialNumber: new asn1js.Integer({ valueHex: exactBuffer(content.serial) }),
    signature: algorithm,
    signatureAlgorithm: algorithm,
    issuer: nameOf(content.issuer),
    subject: nameOf(content.subject),
    notBefore: timeOf(content.notBeforeMs),
    notAfter: timeOf(content.notAfterMs),
    subjectPublicKeyInfo: PublicKeyInfo.fromBER(exactBuffer(spki(content.publicKey))),
    extensions: [...content.extensions],
  });
  const toBeSigned = new Uint8Array(certificate.encodeTBS().toBER(false));
  certificate.tbsView = toBeSigned;
  const signature = signBytes(toBeSigned);
  certificate.signatureValue = new asn1js.BitString({ valueHex: exactBuffer(signature) });
  return Buffer.from(certificate.toSchema(false).toBER(false));
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Extension {
  const constraints = new BasicConstraints({
    cA: isAuthority,
    ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }),
  });
  return extension(OID.basicConstraints, true, constraints.toSchema());
}

/** Bits of RFC 5280 §4.2.1.3 from the most significant one: 0 is digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...bits: readonly number[]): Extension {
  const octet = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  const unusedBits = 7 - Math.max(...bits);
  return extension(OID.keyUsage, true, new asn1js.BitString({ valueHex: Uint8Array.of(octet).buffer, unusedBits }));
}

export function serverAuth(): Extension {
  return extension(OID.extendedKeyUsage, false, new ExtKeyUsage({ keyPurposes: [OID.serverAuth] }).toSchema());
}

export function subjectKeyIdentifier(key: KeyObject): Extension {
  return extension(
    OID.subjectKeyIdentifier,
    false,
    new asn1js.OctetString({ valueHex: exactBuffer(keyIdentifier(key)) }),
  );
}

export function authorityKeyIdentifier(issuerKey: KeyObject): Extension {
  const identifier = new AuthorityKeyIdentifier({
    keyIdentifier: new asn1js.OctetString({ valueHex: exactBuffer(keyIdentifier(issuerKey)) }),
  });
  return extension(OID.authorityKeyIdentifier, false, identifier.toSchema());
}

/** @param isCritical RFC 5280 §4.2.1.6: when the subject is empty. */
export function alternativeNames(
  names: readonly string[],
  addresses: readonly Uint8Array[],
  isCritical: boolean,
): Extension {
  const dns = names.map((value) => new GeneralName({ type: 2, value }));
  const ip = addresses.map(
    (address) => new GeneralName({ type: 7, value: new asn1js.OctetString({ valueHex: exactBuffer(address) }) }),
  );
  return extension(OID.subjectAltName, isCritical, new AltName({ altNames: [...dns, ...ip] }).toSchema());
}

export function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

function extension(extnID: string, critical: boolean, content: { toBER(sizeOnly?: boolean): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: content.toBER(false) });
}

function nameOf(commonName: string | undefined): RelativeDistinguishedNames {
  if (commonName === undefined) return new RelativeDistinguishedNames();
  const value = new asn1js.Utf8String({ value: commonName });
  return new RelativeDistinguishedNames({
    typesAndValues: [new AttributeTypeAndValue({ type: OID.commonName, value })],
  });
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
function timeOf(epochMs: number): Time {
  const value = new Date(epochMs);
  const type = value.getUTCFullYear() >= 2050 ? TimeType.GeneralizedTime : TimeType.UTCTime;
  return new Time({ type, value });
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 over the public key's bits. */
export function keyIdentifier(key: KeyObject): Buffer {
  const bits = PublicKeyInfo.fromBER(exactBuffer(spki(key))).subjectPublicKey.valueBlock.valueHexView;
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

/** A copy of its own, since asn1js takes the whole buffer and Node's are slices of a pool. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
