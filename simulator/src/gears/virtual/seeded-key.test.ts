import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { SeededKey } from './seeded-key.ts';

const MESSAGES = Array.from({ length: 300 }, (_, number) => Buffer.from(`message ${number}`));

test('OpenSSL reads the key and finds the public one in it', () => {
  const key = SeededKey.from('one');
  const found = createPublicKey(createPrivateKey(key.pem)).export({ format: 'der', type: 'spki' });
  expect(found).toEqual(key.publicKey);
  expect(key.publicKeyObject.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
});

test('OpenSSL verifies every signature, and all have the same size', () => {
  const key = SeededKey.from('one');
  const signatures = MESSAGES.map((message) => key.sign(message));
  expect(MESSAGES.filter((message, at) => !verify('sha256', message, key.publicKeyObject, signatures[at]!))).toEqual(
    [],
  );
  expect(new Set(signatures.map(({ length }) => length))).toEqual(new Set([71]));
  expect(new Set(signatures.map((signature) => signature.toString('hex'))).size).toBe(MESSAGES.length);
});

test('the same seed makes the same key and signature, another seed others', () => {
  const [first, again, other] = ['one', 'one', 'two'].map((seed) => SeededKey.from(seed));
  expect(again!.pem).toBe(first!.pem);
  expect(again!.sign(MESSAGES[0]!)).toEqual(first!.sign(MESSAGES[0]!));
  expect(other!.hash).not.toBe(first!.hash);
});

test('a key that was written and read again is the same', () => {
  const key = SeededKey.from('one');
  const read = SeededKey.read(key.pem);
  expect([read.pem, read.hash]).toEqual([key.pem, key.hash]);
  expect(read.sign(MESSAGES[0]!)).toEqual(key.sign(MESSAGES[0]!));
});
