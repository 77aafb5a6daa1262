/** The CA's limits as data: Let's Encrypt's figures, in production, in staging and with an override. */

/** Refills `burst` in `periodMs`, evenly; `count` says when it refills another number in that time. */
export interface RateLimit {
  readonly burst: number;
  readonly periodMs: number;
  readonly count?: number;
}

/** So many requests a second from one address, and so many at once. */
export interface RequestCeiling {
  readonly perSecond: number;
  readonly burst: number;
}

export type LimitName =
  | 'newAccountsPerAddress'
  | 'newAccountsPerRange'
  | 'newOrdersPerAccount'
  | 'certificatesPerDomain'
  | 'certificatesPerSet'
  | 'failedAuthorizations'
  | 'consecutiveFailures';

/** `acme` is whatever else is below /acme/. */
export type CeilingName = 'directory' | 'newNonce' | 'newAccount' | 'newOrder' | 'revokeCert' | 'renewalInfo' | 'acme';

/** What is absent is not limited. */
export interface RateLimits {
  readonly limits: Readonly<Partial<Record<LimitName, RateLimit>>>;
  readonly ceilings: Readonly<Partial<Record<CeilingName, RequestCeiling>>>;
}

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

export const NO_LIMITS: RateLimits = { limits: {}, ceilings: {} };

/** letsencrypt.org/docs/rate-limits of 5 August 2026. */
export const LETSENCRYPT = {
  limits: {
    newAccountsPerAddress: { burst: 10, periodMs: 3 * HOUR_MS },
    newAccountsPerRange: { burst: 500, periodMs: 3 * HOUR_MS },
    newOrdersPerAccount: { burst: 300, periodMs: 3 * HOUR_MS },
    certificatesPerDomain: { burst: 50, periodMs: 7 * DAY_MS },
    certificatesPerSet: { burst: 5, periodMs: 7 * DAY_MS },
    failedAuthorizations: { burst: 5, periodMs: HOUR_MS },
    // Comes back by one a day, and wholly with one success.
    consecutiveFailures: { burst: 1152, periodMs: DAY_MS, count: 1 },
  },
  ceilings: {
    newNonce: { perSecond: 20, burst: 10 },
    newAccount: { perSecond: 5, burst: 15 },
    newOrder: { perSecond: 300, burst: 200 },
    revokeCert: { perSecond: 10, burst: 100 },
    renewalInfo: { perSecond: 1000, burst: 100 },
    acme: { perSecond: 250, burst: 125 },
    directory: { perSecond: 40, burst: 40 },
  },
} as const satisfies RateLimits;

/** letsencrypt.org/docs/staging-environment of 10 April 2026: wider limits behind narrower doors. */
export const LETSENCRYPT_STAGING: RateLimits = {
  limits: {
    ...LETSENCRYPT.limits,
    newAccountsPerAddress: { burst: 50, periodMs: 3 * HOUR_MS },
    newOrdersPerAccount: { burst: 1500, periodMs: 3 * HOUR_MS },
    certificatesPerDomain: { burst: 30_000, periodMs: SECOND_MS },
    certificatesPerSet: { burst: 30_000, periodMs: 7 * DAY_MS },
    failedAuthorizations: { burst: 200, periodMs: HOUR_MS },
    consecutiveFailures: { burst: 3600, periodMs: 6 * HOUR_MS },
  },
  ceilings: {
    ...LETSENCRYPT.ceilings,
    newOrder: { perSecond: 20, burst: 40 },
    acme: { perSecond: 20, burst: 20 },
  },
};

/** What a large integrator asks for: a hundred times the orders and the names. */
export const LETSENCRYPT_OVERRIDE: RateLimits = {
  ...LETSENCRYPT,
  limits: {
    ...LETSENCRYPT.limits,
    newOrdersPerAccount: { ...LETSENCRYPT.limits.newOrdersPerAccount, burst: 30_000 },
    certificatesPerDomain: { ...LETSENCRYPT.limits.certificatesPerDomain, burst: 5000 },
  },
};
