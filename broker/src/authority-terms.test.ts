import { expect, test } from 'vitest';
import { authorityTerms } from './authority-terms.ts';
import { parseConfig } from './config.ts';

function termsFor(acme: Record<string, unknown>) {
  const zone = { apex: 'devices.example.com', nameServers: [{ name: 'ns1.example.com' }] };
  return authorityTerms(parseConfig({ zone, mqtt: { names: ['localhost'] }, acme }).acme);
}

const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

test('a known CA is known by its host, and is an account of its own', () => {
  const terms = termsFor({ directory: LETSENCRYPT });
  expect(terms).toMatchObject({ id: LETSENCRYPT, renewals: 'exempt' });
  expect(terms.limits['new-orders']).toEqual({ burst: 300, periodMs: 3 * 3_600_000 });
  const staging = termsFor({ directory: 'https://acme-staging-v02.api.letsencrypt.org/directory' });
  expect(staging.limits['registered-domain']).toBeUndefined();
});

test('of a CA that nobody knows nothing is known', () => {
  expect(termsFor({ directory: 'https://ca.example.net/acme' })).toMatchObject({ limits: {}, renewals: 'counted' });
});

test('the settings may name the CA, and say what it granted', () => {
  const granted = { burst: 30_000, periodMs: 10_800_000 };
  const { limits } = termsFor({
    directory: 'https://localhost:14000/dir',
    limits: 'letsencrypt',
    overrides: { 'new-orders': granted, 'registered-domain': 'none' },
  });
  expect(limits).toMatchObject({ 'new-orders': granted, 'exact-set': { burst: 5 } });
  expect(limits['registered-domain']).toBeUndefined();
});

test.each([
  ['limits', 'letsencript'],
  ['overrides', { 'new-order': 'none' }],
  ['overrides', { 'new-orders': { burst: 0, periodMs: 1_000 } }],
  ['overrides', { 'new-orders': 'all' }],
  ['publicSuffixes', ['.example.com']],
])('%s of %j is refused', (setting, value) => {
  expect(() => termsFor({ directory: LETSENCRYPT, [setting]: value })).toThrow(`acme.${setting}`);
});
