import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hasCompleteCrypto, platformEngine, portableEngine } from './engine.ts';
import { keyHashOf, makeKeyPair } from './key-pair.ts';

describe.each([
  ['the platform engine', () => Promise.resolve(platformEngine())],
  ['the portable engine', portableEngine],
])('%s', (_, makeEngine) => {
  test('makes P-256 keys that OpenSSL reads', async () => {
    const { keyPem } = await makeKeyPair(await makeEngine());
    expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const key = createPrivateKey(keyPem);
    expect(key.asymmetricKeyType).toBe('ec');
    expect(key.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('makes another key each time', async () => {
    const engine = await makeEngine();
    const [one, other] = await Promise.all([makeKeyPair(engine), makeKeyPair(engine)]);
    expect(one.keyHash).not.toBe(other.keyHash);
  });

  test('names a key by the hash of its SubjectPublicKeyInfo', async () => {
    const { keyPem, keyHash } = await makeKeyPair(await makeEngine());
    const spki = createPublicKey(keyPem).export({ format: 'der', type: 'spki' });
    expect(keyHash).toBe(createHash('sha256').update(spki).digest('hex'));
    expect(keyHashOf(keyPem)).toBe(keyHash);
  });
});

test('a runtime without one of the needed operations counts as incomplete', () => {
  expect(hasCompleteCrypto(globalThis)).toBe(true);
  expect(hasCompleteCrypto({})).toBe(false);
  expect(hasCompleteCrypto({ crypto: {} })).toBe(false);
  const withoutSign = { digest() {}, exportKey() {}, generateKey() {}, importKey() {}, verify() {} };
  expect(hasCompleteCrypto({ crypto: { subtle: withoutSign } })).toBe(false);
  expect(hasCompleteCrypto({ crypto: { subtle: { ...withoutSign, sign() {} } } })).toBe(true);
});
