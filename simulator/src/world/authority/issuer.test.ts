import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { createHierarchy, Issuer, type LeafRequest } from './issuer.ts';
import { validityFrom } from './validity.ts';

const clock = new VirtualClock();
const random = seededRandom(3);
const hierarchy = createHierarchy({ clock, random });
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const REQUEST: LeafRequest = {
  names: ['a.test'],
  publicKey,
  keyKind: 'P-256',
  ...validityFrom(clock.nowMs(), 160 * 3_600_000),
};

function issue(request: LeafRequest = REQUEST): { leaf: X509Certificate; issuer: X509Certificate } {
  const issued = new Issuer({ random, hierarchy }).issue(request);
  return { leaf: new X509Certificate(issued.der), issuer: new X509Certificate(issued.issuerPem) };
}

test('a leaf leads by an intermediate to the root', () => {
  const { leaf, issuer } = issue();
  const root = new X509Certificate(hierarchy.rootPem);
  expect([leaf.checkIssued(issuer), leaf.verify(issuer.publicKey)]).toEqual([true, true]);
  expect([issuer.checkIssued(root), issuer.verify(root.publicKey)]).toEqual([true, true]);
  expect([leaf.ca, issuer.ca, root.ca, root.verify(root.publicKey)]).toEqual([false, true, true, true]);
});

test('a leaf has no subject, exactly its names, and the validity of its profile dated back by an hour', () => {
  const { leaf } = issue({ ...REQUEST, names: ['*.a.test', 'a.test'] });
  expect(leaf.subject ?? '').toBe('');
  expect(leaf.subjectAltName).toBe('DNS:*.a.test, DNS:a.test');
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(leaf.validFromDate.getTime()).toBe(clock.nowMs() - 3_600_000);
  expect(leaf.validToDate.getTime()).toBe(clock.nowMs() + 159 * 3_600_000 - 1000);
});

test('an empty subject is an empty sequence, and a key of any kind names its certificates', () => {
  // RFC 5280 §4.1.2.4: a relative distinguished name has at least one attribute, so that none at all means no name.
  const keyInfo = publicKey.export({ format: 'der', type: 'spki' });
  expect(issue().leaf.raw.includes(Buffer.concat([Uint8Array.of(0x30, 0), keyInfo]))).toBe(true);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const { leaf, issuer } = issue({ ...REQUEST, publicKey: rsa, keyKind: 'RSA' });
  expect([leaf.checkIssued(issuer), leaf.publicKey.equals(rsa)]).toEqual([true, true]);
  const [, identifier = ''] = /0414([0-9a-f]{40})/.exec(keyIdentifierOf(leaf)) ?? [];
  // RFC 3279 §2.3.1: the bits of an RSA key are its PKCS #1 form.
  const bits = rsa.export({ format: 'der', type: 'pkcs1' });
  expect(identifier).toBe(createHash('sha256').update(bits).digest('hex').slice(0, 40));
});

/** From the extension of RFC 5280 §4.2.1.2 on. */
function keyIdentifierOf({ raw }: X509Certificate): string {
  return raw.subarray(raw.indexOf(Buffer.from('0603551d0e', 'hex')) + 5).toString('hex');
}

test('serials differ, are positive and fit RFC 5280', () => {
  const serials = Array.from({ length: 20 }, () => issue().leaf.serialNumber);
  expect(new Set(serials).size).toBe(20);
  for (const serial of serials) expect(serial).toMatch(/^2C[0-9A-F]{34}$/);
});

test('both intermediates sign, so that none can be pinned', () => {
  const issuers = Array.from({ length: 40 }, () => issue().leaf.issuer);
  expect(new Set(issuers).size).toBe(2);
});

test('a validity beyond 2049 is written and read back', () => {
  const { leaf } = issue({ ...REQUEST, ...validityFrom(clock.nowMs(), 40 * 365 * 86_400_000) });
  expect(leaf.validToDate.getUTCFullYear()).toBe(2066);
});
