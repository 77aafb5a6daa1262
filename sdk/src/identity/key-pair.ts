/** Key pairs of the appliance: made on it, named by their hash. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { CryptoEngine } from 'pkijs';
import { cryptoEngine } from './engine.ts';

export interface KeyPair {
  /** PKCS#8 PEM. Never logged, never sent. */
  readonly keyPem: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex: how the wire names the key. */
  readonly keyHash: string;
}

/** A new P-256 key: the smallest that every public CA and every browser accepts. */
export async function makeKeyPair(engine?: CryptoEngine): Promise<KeyPair> {
  const crypto = engine ?? (await cryptoEngine());
  const pair = await crypto.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const pkcs8 = Buffer.from(await crypto.exportKey('pkcs8', pair.privateKey));
  const keyPem = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  });
  return { keyPem: keyPem.toString(), keyHash: keyHashOf(keyPem.toString()) };
}

/** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
export function keyHashOf(keyPem: string): string {
  return createHash('sha256').update(publicKeyInfoOf(keyPem)).digest('hex');
}

/** DER of the key's SubjectPublicKeyInfo. */
export function publicKeyInfoOf(keyPem: string): Buffer {
  return createPublicKey(keyPem).export({ format: 'der', type: 'spki' });
}
