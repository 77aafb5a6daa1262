import { expect, test } from 'vitest';
import type { LimitName } from '../certificates/budget/rate-limit.ts';
import { namedLimit } from './named-limit.ts';

const SEE = 'retry after 2026-11-23 10:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/#';

test.each<[detail: string, limit: LimitName | undefined]>([
  [`too many new orders (300) from this account in the last 3h0m0s, ${SEE}new-orders-per-account`, 'new-orders'],
  [
    `too many certificates (50) already issued for "example.com" in the last 168h0m0s, ${SEE}new-certificates-per-registered-domain`,
    'registered-domain',
  ],
  [
    `too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, ${SEE}new-certificates-per-exact-set-of-identifiers`,
    'exact-set',
  ],
  [
    `too many certificates (5) already issued for this exact set of domains in the last 168h0m0s, ${SEE}new-certificates-per-exact-set-of-hostnames`,
    'exact-set',
  ],
  [
    `too many failed authorizations (5) for "a.example.com" in the last 1h0m0s, ${SEE}authorization-failures-per-identifier-per-account`,
    'failed-authorizations',
  ],
  [
    'Your account is temporarily prevented from requesting certificates for a.example.com and possibly others. ' +
      'Please visit: https://sfe.letsencrypt.org/sfe/v1/unpause?jwt=x',
    'consecutive-failures',
  ],
  // Words that change leave the anchors, and a text that is cut off leaves its words.
  [`no more of that, ${SEE}new-orders-per-account`, 'new-orders'],
  [`no more of that, ${SEE}new-certificates-per-registered-domain`, 'registered-domain'],
  [`no more of that, ${SEE}new-certificates-per-exact-set-of-identifiers`, 'exact-set'],
  [`no more of that, ${SEE}authorization-failures-per-hostname-per-account`, 'failed-authorizations'],
  [`no more of that, ${SEE}consecutive-authorization-failures-per-hostname-per-account`, 'consecutive-failures'],
  ['Error creating new order :: too many certificates already issued for exact set of domains', 'exact-set'],
  ['too many certificates already issued for: example.com', 'registered-domain'],
  ['too many failed authorizations recently', 'failed-authorizations'],
  // Limits that are none of ours, and none.
  [
    `too many new registrations (10) from this IP address in the last 3h0m0s, ${SEE}new-registrations-per-ip-address`,
    undefined,
  ],
  ['Service busy; retry later.', undefined],
  ['', undefined],
])('%s', (detail, limit) => {
  expect(namedLimit(detail)).toBe(limit);
});
