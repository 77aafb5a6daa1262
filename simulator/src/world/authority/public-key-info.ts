/** The SubjectPublicKeyInfo of a key: whoever asks again, as several parts of the CA do, gets the same bytes. */
import type { KeyObject } from 'node:crypto';

const known = new WeakMap<KeyObject, Buffer>();

/** DER. */
export function publicKeyInfoOf(key: KeyObject): Buffer {
  const bytes = known.get(key) ?? key.export({ format: 'der', type: 'spki' });
  known.set(key, bytes);
  return bytes;
}
