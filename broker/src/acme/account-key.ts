/** Keys of accounts: which are taken from outside, in whatever wrapping they come, and what they are called. */
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import { isObject } from './problems.ts';

export interface AccountKeyView {
  /** For people: `EC P-256`, `RSA 2048`. */
  readonly kind: string;
  /** RFC 7638: by this the CA and others know the key, and nothing can be done with it. */
  readonly thumbprint: string;
}

/** RFC 7518 §6.2, §6.3; Node makes keys of RSA only with the factors, which certbot writes. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'x', 'y', 'd'],
  RSA: ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'],
};

/** What acme-client signs with and CAs take: ES256, ES384 and RS256 (RFC 8555 §6.2). */
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

/** CA/Browser Forum's least, which Let's Encrypt asks of accounts, too. */
const LEAST_RSA_BITS = 2_048;

/**
 * A private key in JWK (RFC 7517), as PKCS#8 PEM.
 * @param file for messages.
 * @throws LanyardError `account-unusable`; never with the key in it.
 */
export function keyFromJwk(document: unknown, file: string): string {
  if (!isObject(document)) throw unusable(file, 'is not a JSON object');
  const { kty } = document;
  const members = typeof kty === 'string' && Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty] : undefined;
  if (members === undefined) throw unusable(file, 'has no "kty" of EC or RSA, so that it is no account key');
  if (document['d'] === undefined) throw unusable(file, 'holds a public key; the private one is needed');
  const wrong = members.filter((name) => !isBase64url(document[name]));
  if (wrong.length > 0) throw unusable(file, `lacks or garbles the members ${wrong.join(', ')} of a key`);
  const jwk: JsonWebKey = Object.fromEntries(['kty', ...members].map((name) => [name, document[name]]));
  return accepted(() => createPrivateKey({ key: jwk, format: 'jwk' }), file);
}

/**
 * A private key in PEM of any kind (PKCS#1, SEC 1, PKCS#8), as PKCS#8 PEM.
 * @throws LanyardError `account-unusable`; never with the key in it.
 */
export function keyFromPem(text: string, file: string): string {
  if (/ENCRYPTED/.test(text)) throw unusable(file, 'is locked with a passphrase: take it off first');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    const isPublic = text.includes('PUBLIC KEY-----');
    throw unusable(file, isPublic ? 'holds a public key; the private one is needed' : 'holds no private key in PEM');
  }
  return accepted(() => createPrivateKey(text), file);
}

/** @param keyPem a stored key, which is known to be good. */
export function viewKey(keyPem: string): AccountKeyView {
  const { kty = '', crv, x, y, n, e } = createPublicKey(keyPem).export({ format: 'jwk' });
  // RFC 7638 §3: the required members in the order of the alphabet.
  const canonical = JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n });
  const { modulusLength } = createPublicKey(keyPem).asymmetricKeyDetails ?? {};
  return { kind: `${kty} ${crv ?? modulusLength ?? ''}`, thumbprint: hash('sha256', canonical, 'base64url') };
}

function accepted(read: () => KeyObject, file: string): string {
  const key = readQuietly(read, file);
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const isCurve = key.asymmetricKeyType === 'ec' && Object.hasOwn(CURVES, namedCurve);
  const isRsa = key.asymmetricKeyType === 'rsa' && modulusLength >= LEAST_RSA_BITS;
  if (!isCurve && !isRsa) {
    const what = `${key.asymmetricKeyType} ${namedCurve || modulusLength || ''}`.trim();
    throw unusable(file, `holds a key that CAs do not take (${what}): P-256, P-384 or RSA of 2048 bits is needed`);
  }
  if (!belongTogether(key)) throw unusable(file, 'holds a key whose parts do not belong together');
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The cause is left out: a parser's message may quote the text, and with it the key. */
function readQuietly(read: () => KeyObject, file: string): KeyObject {
  try {
    return read();
  } catch {
    throw unusable(file, 'holds a key that cannot be read');
  }
}

/** Node takes a JWK's public half at its word. The CA would not, and say nothing of use about it. */
function belongTogether(key: KeyObject): boolean {
  const probe = Buffer.from('probe');
  try {
    return verify('sha256', probe, createPublicKey(key), sign('sha256', probe, key));
  } catch {
    return false;
  }
}

function isBase64url(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+=*$/.test(value);
}

function unusable(file: string, fault: string): LanyardError {
  return new LanyardError('account-unusable', { message: `${file} ${fault}` });
}
