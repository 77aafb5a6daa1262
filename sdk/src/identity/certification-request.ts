/** A PKCS#10 request (RFC 2986), signed with the key that it is for. */
import { createPrivateKey } from 'node:crypto';
import { PrintableString } from 'asn1js';
import { AttributeTypeAndValue, Attribute, CertificationRequest, Extensions } from 'pkijs';
import type { CryptoEngine, Extension } from 'pkijs';
import { LanyardError } from '../kernel/errors.ts';
import { cryptoEngine } from './engine.ts';
import { publicKeyInfoOf } from './key-pair.ts';

export interface RequestContents {
  /** PKCS#8 PEM of a P-256 key. */
  readonly keyPem: string;
  /** The only attribute of the subject; absent for an empty subject. */
  readonly commonName?: string;
  readonly extensions?: readonly Extension[];
}

const COMMON_NAME = '2.5.4.3';
/** PKCS #9 extensionRequest, RFC 2985 §5.4.2: how a request asks for certificate extensions. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };

/**
 * DER of the request, signed with SHA-256.
 * @throws LanyardError `csr-weak-key` when the key is not P-256.
 */
export async function makeCertificationRequest(contents: RequestContents, engine?: CryptoEngine): Promise<Uint8Array> {
  const crypto = engine ?? (await cryptoEngine());
  const { privateKey, publicKey } = await importPair(contents.keyPem, crypto);
  // RFC 2986 §4.1: attributes are present even when empty.
  const request = new CertificationRequest({ attributes: [] });
  if (contents.commonName !== undefined) {
    const value = new PrintableString({ value: contents.commonName });
    request.subject.typesAndValues.push(new AttributeTypeAndValue({ type: COMMON_NAME, value }));
  }
  if (contents.extensions !== undefined) {
    const extensions = new Extensions({ extensions: [...contents.extensions] });
    request.attributes?.push(new Attribute({ type: EXTENSION_REQUEST, values: [extensions.toSchema()] }));
  }
  await request.subjectPublicKeyInfo.importKey(publicKey, crypto);
  await request.sign(privateKey, 'SHA-256', crypto);
  return new Uint8Array(request.toSchema(true).toBER());
}

async function importPair(keyPem: string, crypto: CryptoEngine) {
  try {
    const pkcs8 = createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' });
    const [privateKey, publicKey] = await Promise.all([
      crypto.importKey('pkcs8', new Uint8Array(pkcs8), P256, false, ['sign']),
      crypto.importKey('spki', new Uint8Array(publicKeyInfoOf(keyPem)), P256, true, ['verify']),
    ]);
    return { privateKey, publicKey };
  } catch (cause) {
    throw new LanyardError('csr-weak-key', { message: 'the key to sign the request with is not a P-256 key', cause });
  }
}
