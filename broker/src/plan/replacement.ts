/** What it takes to replace every certificate within a day: a CA that has to revoke gives no longer. */
import { ISSUANCE, REQUESTS_PER_ORDER, paceOfRequests } from './capacity.ts';
import { paceOf, timeFor } from './pace.ts';
import type { Pace } from './pace.ts';
import type { Fleet, PlanTerms } from './roll-out.ts';

export interface Replacement {
  readonly withinMs: number;
  readonly ordersPerHour: number;
  readonly ordersPerSecond: number;
  readonly requestsPerSecond: number;
  readonly hurdles: readonly Hurdle[];
  readonly durationMs: number;
  readonly isInTime: boolean;
  /** Of `exact-set`: each name is issued once more, which leaves so many for the rest of its period. */
  readonly leftOfExactSet?: number;
}

export interface Hurdle {
  readonly pace: Pace;
  readonly durationMs: number;
  /** False: the CA does not count renewals here. What it would take is told all the same. */
  readonly isCounted: boolean;
}

/** Baseline Requirements §4.9.1.1: for a compromised key, or proof of control that cannot be relied on. */
const REVOCATION_MS = 24 * 3_600_000;

/**
 * Let's Encrypt sets the window of a revoked certificate to [now - 60 min, now - 30 min]. A replacement comes after its
 * end and so is not exempt from everything; but as the same names within 120 days it is counted as `exact-set` only
 * (Boulder, wfe2 and ratelimits of 7 August 2026).
 */
export function replacement(fleet: Fleet, { limits, renewals, requests }: PlanTerms): Replacement {
  const hurdle = (pace: Pace, isCounted: boolean): Hurdle => ({
    pace,
    durationMs: Math.round(timeFor(pace, fleet.appliances)),
    isCounted,
  });
  const { 'new-orders': newOrders, 'registered-domain': domain, 'exact-set': exactSet } = limits;
  const areCounted = renewals === 'counted';
  const domains = fleet.isPublicSuffix ? fleet.appliances : fleet.zones;
  const hurdles = [
    ...(newOrders ? [hurdle(paceOf('new-orders', newOrders, 1), areCounted)] : []),
    ...(domain ? [hurdle(paceOf('registered-domain', domain, domains), areCounted)] : []),
    ...(requests ? [hurdle(paceOfRequests(requests), true)] : []),
    hurdle(ISSUANCE, true),
  ];
  const durationMs = Math.max(...hurdles.map((one) => (one.isCounted ? one.durationMs : 0)));
  const ordersPerSecond = (fleet.appliances / REVOCATION_MS) * 1000;
  return {
    withinMs: REVOCATION_MS,
    ordersPerHour: ordersPerSecond * 3600,
    ordersPerSecond,
    requestsPerSecond: ordersPerSecond * REQUESTS_PER_ORDER,
    hurdles,
    durationMs,
    isInTime: durationMs <= REVOCATION_MS,
    ...(exactSet && { leftOfExactSet: exactSet.burst - 1 }),
  };
}
