/** Whether the CA may be asked for an order now: the question, what is known, and the answer. */
import type { Order } from '../order.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import type { Bucket, BucketChange, FullAtMs } from './bucket.ts';
import type { Placement } from './placement.ts';
import type { AuthorityTerms } from './rate-limit.ts';

export interface PlacementWish {
  /** Waiting, or ordering once more because the answer was lost. */
  readonly order: Order;
  /** Of the CA that is to be asked. */
  readonly terms: AuthorityTerms;
  /** Of those that may be asked instead when its budget is short, the first choice first. */
  readonly others?: readonly AuthorityTerms[];
  readonly isRehearsal?: boolean;
  /** The registered domain of each name (eTLD+1 by the Public Suffix List), as the CA counts them. */
  readonly registeredDomains: readonly string[];
  readonly nowMs: number;
  /** Share of `new-orders` that is left for others, in [0, 1): what can wait leaves some to what cannot. */
  readonly leaving: number;
}

/** What the store knows about it. */
export interface PlacementFacts {
  /** The appliance's newest certificate for exactly these names from this CA, if any. */
  readonly predecessor: StoredCertificate | undefined;
  /** As stored; undefined: full. */
  readonly fullAtMs: (bucket: Bucket) => FullAtMs | undefined;
  /** How many other orders hold a place in it. */
  readonly holders: (bucket: Bucket) => number;
}

export type PlacementDecision =
  | { readonly kind: 'place'; readonly placement: Placement; readonly changes: readonly BucketChange[] }
  /** Not before `untilMs`; `bucket` says why. */
  | Short;

export interface Short {
  readonly kind: 'short';
  readonly bucket: Bucket;
  readonly untilMs: number;
}
