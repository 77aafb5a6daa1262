/** What measurements say at one instant: plain figures, as the JSON report, the charts and the terminal take them. */
import type { Spread } from './distribution.ts';

export type Counts = Readonly<Record<string, number>>;

/** How many appliances are so, at the end of what was seen. */
export interface Heads {
  /** Switched on. */
  readonly live: number;
  readonly connected: number;
  /** Holding a certificate that has not ended. */
  readonly certified: number;
  /** Holding one that has ended. */
  readonly expired: number;
  /** Ever had one. */
  readonly onceCertified: number;
}

/** Parallel lists, one entry an interval. */
export interface Series {
  readonly intervalMs: number;
  readonly live: readonly number[];
  readonly connected: readonly number[];
  /** The fewest at any instant of the interval: what a storm of a minute leaves in intervals of a day. */
  readonly connectedLow: readonly number[];
  readonly certified: readonly number[];
  /** The most at any instant of the interval. */
  readonly expired: readonly number[];
  readonly hellos: readonly number[];
  /** What the CA did. */
  readonly orders: readonly number[];
  readonly certificates: readonly number[];
  readonly limited: readonly number[];
  /** The least that was seen in each of the CA's token buckets. */
  readonly buckets: Readonly<Record<string, { readonly burst: number; readonly left: readonly number[] }>>;
}

export interface Snapshot {
  readonly simulatedMs: number;
  readonly happenings: number;
  readonly heads: Heads;
  readonly timeToCertificateMs: Spread;
  readonly timeToRenewalMs: Spread;
  readonly expiryMarginMs: Spread;
  readonly publishLatencyMs: Spread;
  /** Certificates that ended on an appliance; by excuse those that could not have been renewed. */
  readonly expiries: { readonly total: number; readonly unexcused: number; readonly byExcuse: Counts };
  /** What the SDK reported to its firmware, and what the broker answered, by code. */
  readonly problems: Counts;
  readonly refusals: Counts;
  /** Messages by their kind, as `said-hello` or `told-state`. */
  readonly messages: Counts;
  /** What the CA did, by deed; its orders by what it takes them for; and its refusals by limit. */
  readonly authority: Counts;
  readonly orders: Counts;
  /** How many each CA issued, by its place in the list: 0 is the first. */
  readonly certificates: { readonly byCa: Counts };
  /** Orders that the broker opened in the absence of sleeping appliances. */
  readonly standIns: number;
  readonly limits: Counts;
  readonly series: Series;
  /** What the scenario did, with the time since the start; the first ones only. */
  readonly events: readonly { readonly atMs: number; readonly what: string; readonly phase: 'begins' | 'ends' }[];
}
