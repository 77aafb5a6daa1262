/** The one kind of key that Lanyard signs for: ECDSA on P-256. */
import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';

/**
 * Everything of a P-256 SubjectPublicKeyInfo before the point (RFC 5480 §2.1.1.1, named curve; §2.2, uncompressed): a
 * single encoding, so that one key has one hash. Hybrid and compressed points and written-out curve parameters, which
 * allow a curve of the sender's making (CVE-2020-0601), do not begin so.
 */
const PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const POINT_BYTES = 64;

/** @throws LanyardError `csr-weak-key` unless `spki` is the DER of a P-256 public key. */
export function readP256Key(spki: Uint8Array): KeyObject {
  const isP256 = spki.length === PREFIX.length + POINT_BYTES && PREFIX.equals(spki.subarray(0, PREFIX.length));
  if (!isP256) throw new LanyardError('csr-weak-key', { message: 'The key is not an ECDSA key on P-256.' });
  try {
    // Computes whether the point is on the curve (SP 800-56A §5.6.2.3.3), which the bytes do not tell.
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new LanyardError('csr-weak-key', { message: 'The key is not a point of P-256.', cause });
  }
}

/** SHA-256 of a SubjectPublicKeyInfo, lower-case hex: how a key is named everywhere in Lanyard. */
export function keyHashOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('hex');
}
