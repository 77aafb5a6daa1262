import { generateKeyPairSync, X509Certificate } from 'node:crypto';
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
