/** A private CA for the tests of this folder: server and identity certificates, right and wrong ones. */
import { webcrypto } from 'node:crypto';
import * as asn1js from 'asn1js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  ExtKeyUsage,
  Extension,
  Time,
  TimeType,
} from 'pkijs';

const engine = new CryptoEngine({ name: 'node', crypto: webcrypto });
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** RFC 5280 § 4.1.2.5: "no well-defined expiration date". */
const NEVER = new Date('9999-12-31T23:59:59Z');

export interface IssuedCredential {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface Wish {
  readonly commonName: string | readonly string[];
  readonly use?: 'client' | 'server';
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Sign this key instead of a new one. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

export class TestAuthority {
  readonly rootPem: string;
  readonly #root: Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  #serial = 1;

  private constructor(root: Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#root = root;
    this.#keys = keys;
    this.rootPem = pem('CERTIFICATE', root.toSchema(true).toBER());
  }

  static async create(name = 'Test Root'): Promise<TestAuthority> {
    const keys = await makeKeys();
    const root = blank(1, [name], new Date('2020-01-01T00:00:00Z'), NEVER);
    root.issuer = root.subject;
    root.extensions = [extension('2.5.29.19', true, new BasicConstraints({ cA: true }).toSchema())];
    await root.subjectPublicKeyInfo.importKey(keys.publicKey, engine);
    await root.sign(keys.privateKey, 'SHA-256', engine);
    return new TestAuthority(root, keys);
  }

  async issue(wish: Wish): Promise<IssuedCredential> {
    const keys = wish.keys ?? (await makeKeys());
    const names = typeof wish.commonName === 'string' ? [wish.commonName] : wish.commonName;
    const notBefore = wish.notBefore ?? new Date('2020-01-01T00:00:00Z');
    const certificate = blank(++this.#serial, names, notBefore, wish.notAfter ?? NEVER);
    certificate.issuer = this.#root.subject;
    const use = wish.use === 'server' ? SERVER_AUTH : CLIENT_AUTH;
    certificate.extensions = [extension('2.5.29.37', false, new ExtKeyUsage({ keyPurposes: [use] }).toSchema())];
    await certificate.subjectPublicKeyInfo.importKey(keys.publicKey, engine);
    await certificate.sign(this.#keys.privateKey, 'SHA-256', engine);
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return {
      certificatePem: pem('CERTIFICATE', certificate.toSchema(true).toBER()),
      keyPem: pem('PRIVATE KEY', pkcs8),
    };
  }
}

function blank(serial: number, names: readonly string[], notBefore: Date, notAfter: Date): Certificate {
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1js.Integer({ value: serial });
  for (const name of names) {
    const value = new asn1js.Utf8String({ value: name });
    certificate.subject.typesAndValues.push(new AttributeTypeAndValue({ type: '2.5.4.3', value }));
  }
  certificate.notBefore = new Time({ value: notBefore });
  // RFC 5280 § 4.1.2.5: UTCTime ends in 2049.
  const type = notAfter.getUTCFullYear() >= 2050 ? TimeType.GeneralizedTime : TimeType.UTCTime;
  certificate.notAfter = new Time({ type, value: notAfter });
  return certificate;
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}

function extension(extnID: string, critical: boolean, schema: asn1js.Sequence): Extension {
  return new Extension({ extnID, critical, extnValue: schema.toBER() });
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
