/** Which public keys the model CA takes, for accounts and for certificates (Boulder's goodkey). */
import { hash, type KeyObject } from 'node:crypto';
import { publicKeyInfoOf } from './public-key-info.ts';

export type KeyKind = 'P-256' | 'P-384' | 'RSA';

/** Boulder takes these and no size between, since a browser has never had to handle others. */
const RSA_BITS: ReadonlySet<number> = new Set([2048, 3072, 4096]);

const KIND_OF_CURVE: ReadonlyMap<string, KeyKind> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

/** What kind of key this is, or the reason why it is not accepted. */
export function judgeKey(key: KeyObject): { readonly kind: KeyKind } | { readonly refusal: string } {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    const kind = KIND_OF_CURVE.get(details.namedCurve ?? '');
    return kind === undefined ? { refusal: `ECDSA curve ${details.namedCurve} not allowed` } : { kind };
  }
  if (key.asymmetricKeyType === 'rsa') {
    if (!RSA_BITS.has(details.modulusLength ?? 0)) {
      return { refusal: `key size not supported: ${details.modulusLength}` };
    }
    if (details.publicExponent !== 65_537n) return { refusal: 'key exponent should be 65537' };
    return { kind: 'RSA' };
  }
  return { refusal: `unknown key type ${key.asymmetricKeyType}` };
}

/** One name for a key, whatever container it came in. */
export function keyFingerprint(key: KeyObject): string {
  return hash('sha256', publicKeyInfoOf(key), 'base64url');
}
