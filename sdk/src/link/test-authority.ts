/** A private CA for tests: makes roots, intermediates and leaves as wrong as a test wants them. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { BitString, Integer, OctetString, PrintableString } from 'asn1js';
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

export interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface Wish {
  readonly commonName: string;
  readonly hosts?: readonly string[];
  readonly addresses?: readonly string[];
  readonly isAuthority?: boolean;
  /** How many CAs may stand between this one and a leaf; no limit without. */
  readonly pathLength?: number;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** Object identifiers of the extended key usage; the extension is absent without. */
  readonly usages?: readonly string[];
  /** To certify a key that exists already. */
  readonly keyPem?: string;
}

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
let serial = 1;

/** A certificate for `wish`, signed by `issuer` or by itself. */
export async function issue(wish: Wish, issuer?: Issued): Promise<Issued> {
  const engine = await cryptoEngine();
  const keyPem = wish.keyPem ?? (await makeKeyPair()).keyPem;
  const signerPem = issuer?.keyPem ?? keyPem;
  const spki = new Uint8Array(createPublicKey(keyPem).export({ format: 'der', type: 'spki' }));
  const pkcs8 = new Uint8Array(createPrivateKey(signerPem).export({ format: 'der', type: 'pkcs8' }));
  const publicKey = await engine.importKey('spki', spki, P256, true, ['verify']);
  const signingKey = await engine.importKey('pkcs8', pkcs8, P256, false, ['sign']);
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ value: serial++ }) });
  certificate.subject.typesAndValues.push(commonName(wish.commonName));
  if (issuer === undefined) certificate.issuer.typesAndValues.push(commonName(wish.commonName));
  else certificate.issuer = Certificate.fromBER(derOf(issuer.certificatePem)).subject;
  certificate.notBefore = new Time({
    type: TimeType.UTCTime,
    value: new Date(wish.notBeforeMs ?? Date.UTC(2020, 0, 1)),
  });
  certificate.notAfter = new Time({ type: TimeType.UTCTime, value: new Date(wish.notAfterMs ?? Date.UTC(2049, 0, 1)) });
  certificate.extensions = extensionsOf(wish);
  await certificate.subjectPublicKeyInfo.importKey(publicKey, engine);
  await certificate.sign(signingKey, 'SHA-256', engine);
  return { certificatePem: pemOf(new Uint8Array(certificate.toSchema(true).toBER())), keyPem };
}

function extensionsOf(wish: Wish): Extension[] {
  const isAuthority = wish.isAuthority ?? false;
  const constraints = new BasicConstraints({
    cA: isAuthority,
    ...(wish.pathLength === undefined ? {} : { pathLenConstraint: wish.pathLength }),
  })
    .toSchema()
    .toBER(false);
  const extensions = [new Extension({ extnID: '2.5.29.19', critical: true, extnValue: constraints })];
  if (isAuthority) {
    // keyCertSign is the sixth bit.
    const usage = new BitString({ valueHex: new Uint8Array([0b0000_0100]).buffer, unusedBits: 2 }).toBER(false);
    extensions.push(new Extension({ extnID: '2.5.29.15', critical: true, extnValue: usage }));
  }
  if (wish.usages !== undefined) {
    const usages = new ExtKeyUsage({ keyPurposes: [...wish.usages] }).toSchema().toBER(false);
    extensions.push(new Extension({ extnID: '2.5.29.37', critical: false, extnValue: usages }));
  }
  const names = [
    ...(wish.hosts ?? []).map((value) => new GeneralName({ type: 2, value })),
    ...(wish.addresses ?? []).map((address) => new GeneralName({ type: 7, value: ipv4(address) })),
  ];
  if (names.length > 0) {
    const altNames = new GeneralNames({ names }).toSchema().toBER(false);
    extensions.push(new Extension({ extnID: '2.5.29.17', critical: false, extnValue: altNames }));
  }
  return extensions;
}

function ipv4(address: string): OctetString {
  return new OctetString({ valueHex: Uint8Array.from(address.split('.'), Number).buffer });
}

function commonName(value: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: '2.5.4.3', value: new PrintableString({ value }) });
}

function derOf(pem: string): ArrayBuffer {
  const base64 = pem.replaceAll(/-----[^-]+-----|\s/g, '');
  return new Uint8Array(Buffer.from(base64, 'base64')).buffer;
}

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
