/** One bucket of a CA account by name, and what may happen to it. Stored: a restart must not forget a spend. */
import type { LimitName, RateLimit } from './rate-limit.ts';

/** Which bucket: of a limit, or the pause that the CA asked of the whole account. */
export interface Bucket {
  readonly authority: string;
  readonly limit: LimitName | 'pause';
  /** What the limit counts by: a registered domain, a name, names joined by commas; empty for the account itself. */
  readonly subject: string;
}

/**
 * How empty a bucket is, as one instant (GCRA, as Boulder keeps it): when it will be full again. In the past: it is full.
 * Epoch milliseconds.
 */
export type FullAtMs = number;

/** Changes come with the step of the order that causes them, in one transaction. */
export type BucketChange =
  /** One more was counted, at `atMs` at the latest, whatever was left. */
  | { readonly kind: 'spend'; readonly bucket: Bucket; readonly limit: RateLimit; readonly atMs: number }
  /** The CA said so: nothing before `untilMs`, then one. */
  | { readonly kind: 'empty'; readonly bucket: Bucket; readonly limit: RateLimit; readonly untilMs: number }
  /** A success wipes the slate clean. */
  | { readonly kind: 'refill'; readonly bucket: Bucket };

/** How a bucket stands, for people. */
export interface BucketLevel {
  readonly bucket: Bucket;
  readonly fullAtMs: FullAtMs;
}
