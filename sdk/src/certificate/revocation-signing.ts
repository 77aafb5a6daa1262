/** Revokes a certificate by its own key, for the broker to pass on: what is signed is made here, and is nothing else. */
import { createPublicKey, sign } from 'node:crypto';
import { LanyardError } from '../kernel/errors.ts';
import type { FlattenedJws, RevocationWish, SignedRevocation } from '../protocol/revocation.ts';
import { readChain, readKey, refusal } from './credential.ts';
import type { Credential } from './credential.ts';

/** RFC 5280 §5.3.1: keyCompromise, the one reason that makes a CA block the key (Baseline Requirements §4.9.1.1). */
const KEY_COMPROMISE = 1;

/**
 * The request of RFC 8555 §7.6 for the certificate in use. The broker's share in it is where it goes and its nonce, both
 * checked when the wish was read.
 * @throws LanyardError `certificate-missing` | `certificate-refused` (its key cannot sign this).
 */
export function signRevocation(current: Credential | undefined, wish: RevocationWish): SignedRevocation {
  const { id, fingerprint, url, nonce } = wish;
  if (current?.fingerprint !== fingerprint) {
    throw new LanyardError('certificate-missing', { message: 'the certificate to be revoked is not the one in use' });
  }
  const [leaf] = readChain(current.chainPem);
  const payload = encode({ certificate: leaf.raw.toString('base64url'), reason: KEY_COMPROMISE });
  return { id, jws: signed(current.keyPem, { nonce, url }, payload) };
}

function signed(keyPem: string, sent: { readonly nonce: string; readonly url: string }, payload: string): FlattenedJws {
  const key = readKey(keyPem);
  const jwk = createPublicKey(keyPem).export({ format: 'jwk' });
  if (jwk.crv !== 'P-256') throw refusal('key', 'only a P-256 key signs its own revocation');
  const { crv, kty, x, y } = jwk;
  const header = encode({ alg: 'ES256', jwk: { crv, kty, x, y }, ...sent });
  // RFC 7518 §3.4: the two numbers side by side, not in DER.
  const signature = sign('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' });
  return { protected: header, payload, signature: signature.toString('base64url') };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
