import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseJwk } from './jws.ts';

test('the thumbprint of RFC 7638 §3.1 comes out', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn' +
    'jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM' +
    'QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz' +
    'KnqDKgw';
  const key = parseJwk({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' });
  expect(key.thumbprint).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test.each([
  ['nothing', undefined, /JWK/],
  ['another type', { kty: 'oct', k: 'AAAA' }, /kty/],
  ['a point that is not on the curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }, /public key/],
  ['a short RSA key', rsa(1024), /key size/],
  ['a size between', rsa(2560), /key size/],
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ format: 'jwk' }), /curve/],
  ['a private key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), /private/],
])('a JWK is refused: %s', (_, jwk, message) => {
  expect(() => parseJwk(jwk)).toThrow(message);
});

function rsa(modulusLength: number): object {
  return generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
}
