import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import { keyFromJwk, keyFromPem, viewKey } from './account-key.ts';
import { KEYS, jwkOf, pemOf } from './test-account-keys.ts';

describe('a key that CAs take', () => {
  test.each([
    ['EC P-256', KEYS.p256],
    ['EC P-384', KEYS.p384],
    ['RSA 2048', KEYS.rsa2048],
  ])('%s is the same from JWK and from PEM', (kind, key) => {
    const pem = keyFromJwk(jwkOf(key), 'a.json');
    expect(pem).toBe(pemOf(key));
    expect(keyFromPem(pemOf(key, key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1'), 'a.pem')).toBe(pem);
    expect(viewKey(pem).kind).toBe(kind);
  });

  test('PEM may have the curve before the key, as openssl ecparam writes it', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    expect(keyFromPem(parameters + pemOf(KEYS.p256, 'sec1'), 'a.pem')).toBe(pemOf(KEYS.p256));
  });

  test('members of a JWK that do not matter are left aside', () => {
    expect(keyFromJwk({ ...jwkOf(KEYS.p256), alg: 'ES256', use: 'sig', kid: '1' }, 'a.json')).toBe(pemOf(KEYS.p256));
  });
});

test('the thumbprint is that of RFC 7638 §3.1', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  expect(viewKey(pem)).toEqual({ kind: 'RSA 2048', thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' });
});

describe('a JWK is refused', () => {
  const ec = jwkOf(KEYS.p256);
  const rsa = jwkOf(KEYS.rsa2048);
  const { d: _private, ...publicPart } = ec;
  const { p: _p, qi: _qi, ...short } = rsa;
  const otherRsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
  const cases: readonly (readonly [what: string, document: unknown, complaint: string])[] = [
    ['that is a list', [ec], 'is not a JSON object'],
    ['that is null', null, 'is not a JSON object'],
    ['without kty', { ...ec, kty: undefined }, 'has no "kty"'],
    ['that is symmetric', { kty: 'oct', k: 'AAAA' }, 'has no "kty" of EC or RSA'],
    ['of a kind named like a method', { ...ec, kty: 'toString' }, 'has no "kty"'],
    ['that is Ed25519', jwkOf(KEYS.ed25519), 'has no "kty" of EC or RSA'],
    ['that is public', publicPart, 'holds a public key'],
    ['without the factors', short, 'lacks or garbles the members p, qi'],
    ['with a number for a member', { ...ec, x: 7 }, 'lacks or garbles the members x'],
    ['with something else than base64url', { ...ec, d: 'a b' }, 'lacks or garbles the members d'],
    ['of a point that is not on the curve', { ...ec, x: ec.y }, 'cannot be read'],
    ['whose halves are of two keys', { ...ec, d: jwkOf(generateEc()).d }, 'do not belong together'],
    ['whose halves are of two RSA keys', { ...rsa, n: otherRsa.n }, 'do not belong together'],
    ['on P-521', jwkOf(KEYS.p521), 'CAs do not take (ec secp521r1)'],
    ['of 1024 bits', jwkOf(KEYS.rsa1024), 'CAs do not take (rsa 1024)'],
  ];
  test.each(cases)('%s', (_what, document, complaint) => {
    expect(() => keyFromJwk(document, 'dir/private_key.json')).toThrow(complaint);
    expect(() => keyFromJwk(document, 'dir/private_key.json')).toThrow(/^dir\/private_key\.json /);
  });
});

describe('PEM is refused', () => {
  const publicPem = createPublicKey(KEYS.p256).export({ type: 'spki', format: 'pem' }).toString();
  const locked = { format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' } as const;
  const cases: readonly (readonly [what: string, text: string, complaint: string])[] = [
    ['that is empty', '', 'holds no private key in PEM'],
    ['that is a public key', publicPem, 'holds a public key'],
    ['that is cut off', pemOf(KEYS.rsa2048).slice(0, 400), 'cannot be read'],
    ['with a passphrase (PKCS#8)', KEYS.rsa2048.export({ type: 'pkcs8', ...locked }).toString(), 'passphrase'],
    ['with a passphrase (PKCS#1)', KEYS.rsa2048.export({ type: 'pkcs1', ...locked }).toString(), 'passphrase'],
    ['that is Ed25519', pemOf(KEYS.ed25519), 'CAs do not take (ed25519)'],
    ['of 1024 bits', pemOf(KEYS.rsa1024), 'CAs do not take (rsa 1024)'],
  ];
  test.each(cases)('%s', (_what, text, complaint) => {
    expect(() => keyFromPem(text, 'account_key.pem')).toThrow(complaint);
  });

  test('without the key in what is said', () => {
    const { d = '' } = jwkOf(KEYS.p256);
    const tries = [() => keyFromJwk({ ...jwkOf(KEYS.p256), x: 'AAAA' }, 'f'), () => keyFromPem(`${d} ENCRYPTED`, 'f')];
    for (const attempt of tries) expect(said(attempt)).not.toContain(d);
  });
});

function generateEc(): (typeof KEYS)['p256'] {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function said(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (LanyardError.is(error, 'account-unusable')) return JSON.stringify([error.message, error.details, error.stack]);
  }
  throw new Error('expected account-unusable');
}
