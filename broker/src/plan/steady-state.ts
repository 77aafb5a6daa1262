/** What a fleet asks of its CA and its broker for ever: renewals, and polls for renewal information. */
import { POLL_INTERVAL_MS, REQUESTS_PER_ORDER } from './capacity.ts';
import type { Lifetime } from './lifetimes.ts';
import { certifiedBy } from './roll-out.ts';
import type { Fleet, RollOut } from './roll-out.ts';

/** From `fromMs` on, when every certificate has the new lifetime. */
export interface SteadyState extends Lifetime {
  readonly renewedAfterMs: number;
  /** Renewals of certificates issued together are spread over so long. */
  readonly windowMs: number;
  readonly renewalsPerDay: number;
  readonly renewalsPerHour: number;
  readonly ordersPerSecond: number;
  readonly requestsPerSecond: number;
  readonly peak: Peak;
  readonly pollsPerSecond: number;
}

/** The densest window of renewals: those who got their certificates together come back together. */
export interface Peak {
  /** Certified within the first window of the roll-out, or in one that is a multiple of `renewedAfterMs` later. */
  readonly certificates: number;
  readonly ordersPerSecond: number;
  readonly requestsPerSecond: number;
}

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** Let's Encrypt's windows (RFC 9773): centre at 2/3 of life, 1/2 below ten days, 2 % of life wide. */
const SHORT_LIFE_MS = 10 * DAY_MS;
const WINDOW_WIDTH = 0.02;

/** @param first the roll-out by which the certificates came. */
export function steadyState(fleet: Fleet, lifetime: Lifetime, first: RollOut): SteadyState {
  const { lifetimeMs } = lifetime;
  const renewedAfterMs = lifetimeMs < SHORT_LIFE_MS ? lifetimeMs / 2 : (lifetimeMs * 2) / 3;
  const windowMs = lifetimeMs * WINDOW_WIDTH;
  const perMs = fleet.appliances / renewedAfterMs;
  return {
    ...lifetime,
    renewedAfterMs,
    windowMs,
    renewalsPerDay: perMs * DAY_MS,
    renewalsPerHour: perMs * HOUR_MS,
    ordersPerSecond: perMs * SECOND_MS,
    requestsPerSecond: perMs * SECOND_MS * REQUESTS_PER_ORDER,
    peak: peakOf(fleet, first, { renewedAfterMs, windowMs }),
    pollsPerSecond: (fleet.appliances / POLL_INTERVAL_MS) * SECOND_MS,
  };
}

/** A roll-out of more renewals than this takes centuries. */
const MOST_GENERATIONS = 100_000;

/**
 * Each renewal is at a uniformly random instant of its window, so that the density of renewals is that of issuance,
 * averaged over one window. A roll-out is densest at its start. Where it takes longer than a certificate lives, those
 * who come first are renewed again while the last ones still come: windows a whole number of renewals apart add up.
 */
function peakOf(fleet: Fleet, first: RollOut, spacing: Pick<SteadyState, 'renewedAfterMs' | 'windowMs'>): Peak {
  const { renewedAfterMs, windowMs } = spacing;
  const generations = Math.min(MOST_GENERATIONS, Math.floor(first.durationMs / renewedAfterMs));
  let certificates = certifiedBy(first, fleet, windowMs);
  for (let generation = 1; generation <= generations; generation++) {
    const startMs = generation * renewedAfterMs;
    certificates += certifiedBy(first, fleet, startMs + windowMs) - certifiedBy(first, fleet, startMs);
  }
  const ordersPerSecond = (certificates / windowMs) * SECOND_MS;
  return { certificates, ordersPerSecond, requestsPerSecond: ordersPerSecond * REQUESTS_PER_ORDER };
}
