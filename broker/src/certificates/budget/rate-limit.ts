/** What a CA allows, as data: the terms that the budget is kept by. */

/** A token bucket as CAs publish it: `burst` at once; `count` of them (all, when absent) come back in `periodMs`, evenly. */
export interface RateLimit {
  readonly burst: number;
  readonly periodMs: number;
  readonly count?: number;
}

export const LIMIT_NAMES = [
  /** newOrder requests of the account. */
  'new-orders',
  /** Certificates below a registered domain that are no renewals; the CA books them when it issues. */
  'registered-domain',
  /** Certificates for exactly the same names; booked when issued. */
  'exact-set',
  /** Authorizations of one name that failed. */
  'failed-authorizations',
  /** The same without a success in between: at its end the CA pauses the name. */
  'consecutive-failures',
] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** So many requests a second, and so many at once. */
export interface RequestRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A CA account and what it may do. */
export interface AuthorityTerms {
  /** The same after every restart, another one for every other account: the directory URL will do. */
  readonly id: string;
  /** What is absent is not limited. */
  readonly limits: Readonly<Partial<Record<LimitName, RateLimit>>>;
  /**
   * `exempt`: as Let's Encrypt does, a replacement in its window (RFC 9773) is counted nowhere, and the same names
   * again within 120 days only as `exact-set`. `counted`: an order is an order.
   */
  readonly renewals: 'exempt' | 'counted';
  /** Over all requests of orders; absent: as fast as they are answered. */
  readonly requests?: RequestRate;
}
