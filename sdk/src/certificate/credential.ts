/** A key and its certificate chain as one thing, with the facts that the certificate states. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LanyardError } from '../kernel/errors.ts';

export interface Credential {
  /** PEM, PKCS#8. Never logged, never sent. */
  readonly keyPem: string;
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  /** The DNS names of the certificate, in lower case. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Reads a key and a chain that may come from anywhere; checks that they belong together and nothing else.
 * @throws LanyardError `certificate-refused` with the failed check in `details.check`.
 */
export function readCredential(keyPem: string, chainPem: string): Credential {
  const [leaf] = readChain(chainPem);
  if (!leaf.checkPrivateKey(readKey(keyPem))) {
    throw refusal('key', 'the certificate is for another key');
  }
  return {
    keyPem,
    chainPem,
    fingerprint: createHash('sha256').update(leaf.raw).digest('hex'),
    keyHash: keyHashOf(leaf.publicKey),
    names: readNames(leaf),
    notBeforeMs: readDate(leaf.validFrom),
    notAfterMs: readDate(leaf.validTo),
  };
}

/** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex: how the wire names a key. */
export function keyHashOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** @throws LanyardError `certificate-refused`. */
export function readKey(keyPem: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch {
    // Without the cause: OpenSSL's message may quote what it could not read.
    throw refusal('key', 'the private key cannot be read');
  }
}

/** A public chain has two or three certificates; whoever sends more wants to cost us signatures. */
const MOST_CERTIFICATES = 8;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, leaf first; at least one, at most eight. */
export function readChain(chainPem: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = chainPem.match(PEM_BLOCK) ?? [];
  if (blocks.length > MOST_CERTIFICATES) {
    throw refusal('chain', `the chain has ${blocks.length} certificates, at most ${MOST_CERTIFICATES} are read`);
  }
  const [leaf, ...issuers] = blocks.map(readCertificate);
  if (leaf === undefined) throw refusal('chain', 'there is no certificate in the chain');
  return [leaf, ...issuers];
}

/** A date as OpenSSL prints it (`Nov 22 00:00:00 2026 GMT`), in epoch milliseconds. */
export function readDate(printed: string): number {
  const milliseconds = Date.parse(printed);
  if (Number.isNaN(milliseconds)) throw refusal('dates', `the date ${printed} cannot be read`);
  return milliseconds;
}

/** Why a certificate is not installed: which check, and what was seen. */
export function refusal(check: CertificateCheck, message: string, cause?: unknown): LanyardError {
  return new LanyardError('certificate-refused', {
    message: `${check}: ${message}`,
    details: { check },
    ...(cause === undefined ? {} : { cause }),
  });
}

export type CertificateCheck = 'chain' | 'key' | 'fingerprint' | 'names' | 'dates' | 'purpose' | 'trust' | 'loading';

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw refusal('chain', 'a certificate of the chain cannot be read', cause);
  }
}

/** Everything but plain DNS names is kept with its type, so that it matches no assigned name. */
function readNames(leaf: X509Certificate): readonly string[] {
  const printed = leaf.subjectAltName ?? '';
  if (printed === '') return [];
  return printed.split(', ').map((entry) => (entry.startsWith('DNS:') ? entry.slice(4).toLowerCase() : entry));
}
