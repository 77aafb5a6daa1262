/** For tests: keys as other programs wrap them. Slow to make, so that each is made once. */
import { generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';

export const KEYS: Readonly<Record<'p256' | 'p384' | 'p521' | 'rsa2048' | 'rsa1024' | 'ed25519', KeyObject>> = {
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  rsa2048: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  rsa1024: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
  ed25519: generateKeyPairSync('ed25519').privateKey,
};

export function jwkOf(key: KeyObject): JsonWebKey {
  return key.export({ format: 'jwk' });
}

export function pemOf(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string {
  return key.export({ type, format: 'pem' }).toString();
}
