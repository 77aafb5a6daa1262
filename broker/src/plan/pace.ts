/** What gives out turns for certificates, and how long that takes: the closed form that a whole plan is made of. */
import type { RateLimit } from '../certificates/budget/rate-limit.ts';

export type PaceName =
  | 'new-orders'
  | 'registered-domain'
  /** The CA's ceiling on requests. */
  | 'requests'
  /** The broker's own. */
  | 'issuance';

/** Buckets that give `burst` at once, and `count` more in every `periodMs`, evenly. */
export interface Pace {
  readonly name: PaceName;
  readonly burst: number;
  readonly count: number;
  readonly periodMs: number;
  /** How many such buckets there are. Certificates are dealt out to them evenly. */
  readonly buckets: number;
}

export function paceOf(name: PaceName, limit: RateLimit, buckets: number): Pace {
  return { name, burst: limit.burst, count: limit.count ?? limit.burst, periodMs: limit.periodMs, buckets };
}

/** Of the bucket that has the most to do. */
export function shareOf(pace: Pace, certificates: number): number {
  return Math.ceil(certificates / pace.buckets);
}

/** T(n) = (n - burst) × interval, and nothing for what the burst covers. */
export function timeFor(pace: Pace, certificates: number): number {
  return (Math.max(0, shareOf(pace, certificates) - pace.burst) * pace.periodMs) / pace.count;
}

/** The same the other way round: how many have had their turn after `elapsedMs`. */
export function turnsBy(pace: Pace, elapsedMs: number): number {
  return pace.buckets * (pace.burst + Math.floor((elapsedMs * pace.count) / pace.periodMs));
}

/**
 * The slowest decides. Buckets are spent side by side, and each gives ever less after its burst, so that one which waits
 * for another misses no turn that would have counted.
 */
export function slowest(paces: readonly Pace[], certificates: number): Pace | undefined {
  return paces.toSorted((one, other) => timeFor(other, certificates) - timeFor(one, certificates))[0];
}
