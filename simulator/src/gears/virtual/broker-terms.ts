/** The CA's limits as its operator would tell them to his broker: what the CA publishes, and what it granted. */
import type { AuthorityTerms } from '@lanyard/broker/virtual';
import type { RateLimits } from '../../world/authority/rate-limits.ts';

/** The model CA is written by other hands than the budget, and so are its names. */
const NAMES = [
  ['newOrdersPerAccount', 'new-orders'],
  ['certificatesPerDomain', 'registered-domain'],
  ['certificatesPerSet', 'exact-set'],
  ['failedAuthorizations', 'failed-authorizations'],
  ['consecutiveFailures', 'consecutive-failures'],
] as const;

export function brokerTerms(id: string, { limits, ceilings }: RateLimits): AuthorityTerms {
  const known = NAMES.flatMap(([theirs, ours]) => {
    const limit = limits[theirs];
    return limit === undefined ? [] : [[ours, limit] as const];
  });
  const requests = ceilings.acme;
  return { id, renewals: 'exempt', limits: Object.fromEntries(known), ...(requests && { requests }) };
}
