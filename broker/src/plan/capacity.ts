/** What bounds orders besides the CA's buckets: its ceilings on requests, and the broker itself. */
import type { PresetName } from '../certificates/budget/presets.ts';
import type { RequestRate } from '../certificates/budget/rate-limit.ts';
import type { Pace } from './pace.ts';

/** Of one order by DNS-01: seven at the least (docs/benchmarks.md), and one or two more looks while the CA is busy. */
export const REQUESTS_PER_ORDER = 9;

/** Certificates a second of one broker on two cores, appliances included; the order machine alone does more (docs/benchmarks.md). */
export const ISSUANCES_PER_SECOND = 15;

/** RFC 9773 §4.3.3 leaves it to the CA; Let's Encrypt answers Retry-After with six hours. */
export const POLL_INTERVAL_MS = 6 * 3_600_000;

/** Requests a second that single endpoints take from one address, beside what everything together may have. */
export interface EndpointCeilings {
  readonly newOrder: number;
  readonly renewalInfo: number;
}

/** letsencrypt.org/docs/rate-limits (5 August 2026) and docs/staging-environment (10 April 2026), by preset. */
const ENDPOINTS: Readonly<Partial<Record<PresetName, EndpointCeilings>>> = {
  letsencrypt: { newOrder: 300, renewalInfo: 1000 },
  'letsencrypt-staging': { newOrder: 20, renewalInfo: 1000 },
};

export function endpointCeilings(ca: PresetName): EndpointCeilings | undefined {
  return ENDPOINTS[ca];
}

const SECOND_MS = 1000;

/** `requests` of the CA's terms, as orders. */
export function paceOfRequests({ perSecond, burst }: RequestRate): Pace {
  return {
    name: 'requests',
    burst: Math.floor(burst / REQUESTS_PER_ORDER),
    count: perSecond,
    periodMs: REQUESTS_PER_ORDER * SECOND_MS,
    buckets: 1,
  };
}

export const ISSUANCE: Pace = {
  name: 'issuance',
  burst: 0,
  count: ISSUANCES_PER_SECOND,
  periodMs: SECOND_MS,
  buckets: 1,
};
