/** What an appliance signs when its certificate is to be revoked, and what it does not. */
import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { issue } from '../link/test-authority.ts';
import { parseSignedRevocation } from '../protocol/revocation.ts';
import type { SignedRevocation } from '../protocol/revocation.ts';
import { readCredential } from './credential.ts';
import type { Credential } from './credential.ts';
import { signRevocation } from './revocation-signing.ts';

const SENT = { id: 'r1', url: 'https://ca.example/revoke', nonce: 'nonce-1' };

let current: Credential;

beforeAll(async () => {
  const { keyPem, certificatePem } = await issue({ commonName: 'leaf', hosts: ['box.devices.example'] });
  current = readCredential(keyPem, certificatePem);
});

describe('the certificate in use', () => {
  test('is revoked by a request of RFC 8555 §7.6 for a compromised key, and nothing more is in it', () => {
    const signed = signRevocation(current, { ...SENT, fingerprint: current.fingerprint });
    expect(signed.id).toBe('r1');
    const leaf = new X509Certificate(current.chainPem);
    expect(decode(signed.jws.payload)).toEqual({ certificate: leaf.raw.toString('base64url'), reason: 1 });
    const { x, y } = leaf.publicKey.export({ format: 'jwk' });
    const jwk = { kty: 'EC', crv: 'P-256', x, y };
    expect(decode(signed.jws.protected)).toEqual({ alg: 'ES256', jwk, nonce: SENT.nonce, url: SENT.url });
  });

  test('is revoked by a signature of its key', () => {
    const signed = signRevocation(current, { ...SENT, fingerprint: current.fingerprint });
    expect(isSigned(signed)).toBe(true);
    const other = { ...signed, jws: { ...signed.jws, payload: signed.jws.payload.replace(/^./, 'f') } };
    expect(isSigned(other)).toBe(false);
  });

  test('is revoked by a message that the wire allows, with the longest URL and nonce, too', () => {
    const longest = { url: `https://${'u'.repeat(504)}`, nonce: 'n'.repeat(256) };
    const signed = signRevocation(current, { ...SENT, ...longest, fingerprint: current.fingerprint });
    expect(parseSignedRevocation(signed)).toEqual({ ok: true, value: signed });
  });
});

describe('nothing is signed', () => {
  test('for another certificate', () => {
    const fingerprint = createHash('sha256').update('another').digest('hex');
    expect(() => signRevocation(current, { ...SENT, fingerprint })).toThrow(/not the one in use/);
  });

  test('before there is a certificate', () => {
    expect(() => signRevocation(undefined, { ...SENT, fingerprint: current.fingerprint })).toThrow(
      /not the one in use/,
    );
  });

  test.each([
    ['of RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['on P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ])('by a key %s', (_, key) => {
    const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
    const wish = { ...SENT, fingerprint: current.fingerprint };
    expect(() => signRevocation({ ...current, keyPem }, wish)).toThrow(/only a P-256 key/);
  });
});

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function isSigned({ jws }: SignedRevocation): boolean {
  const key = new X509Certificate(current.chainPem).publicKey;
  const input = Buffer.from(`${jws.protected}.${jws.payload}`);
  return verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(jws.signature, 'base64url'));
}
