/** What the known CAs allow, as their documentation says, and how an operator's own figures are merged in. */
import { LIMIT_NAMES } from './rate-limit.ts';
import type { AuthorityTerms, LimitName, RateLimit } from './rate-limit.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export const PRESET_NAMES = ['letsencrypt', 'letsencrypt-staging', 'zerossl', 'google', 'pebble', 'custom'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];
export type Preset = Omit<AuthorityTerms, 'id'>;

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  // letsencrypt.org/docs/rate-limits (2026-08-05); how renewals are recognised: boulder ratelimits/transaction.go.
  letsencrypt: {
    limits: {
      'new-orders': { burst: 300, periodMs: 3 * HOUR_MS },
      'registered-domain': { burst: 50, periodMs: 7 * DAY_MS },
      'exact-set': { burst: 5, periodMs: 7 * DAY_MS },
      // The CA allows 5 an hour. One is left to it: a failure whose news was lost has been counted all the same.
      'failed-authorizations': { burst: 4, periodMs: HOUR_MS },
      // One more would pause the name, until somebody lifts that by hand.
      'consecutive-failures': { burst: 1_152, periodMs: DAY_MS, count: 1 },
    },
    renewals: 'exempt',
    // Per address, for everything under /acme/; answered with 503 above it.
    requests: { perSecond: 250, burst: 125 },
  },
  // letsencrypt.org/docs/staging-environment (2026-04-10). 30,000 certificates a second and registered domain are no limit.
  'letsencrypt-staging': {
    limits: {
      'new-orders': { burst: 1_500, periodMs: 3 * HOUR_MS },
      'exact-set': { burst: 30_000, periodMs: 7 * DAY_MS },
      'failed-authorizations': { burst: 200, periodMs: HOUR_MS },
      'consecutive-failures': { burst: 3_600, periodMs: 6 * HOUR_MS },
    },
    renewals: 'exempt',
    // Much tighter than production.
    requests: { perSecond: 20, burst: 20 },
  },
  // Answers 429 by limits that it does not publish: each refusal pauses the account.
  zerossl: { limits: {}, renewals: 'counted' },
  // The quotas belong to the operator's Google Cloud project and can be read there.
  google: { limits: {}, renewals: 'counted' },
  // No rate limits at all (its README).
  pebble: { limits: {}, renewals: 'exempt' },
  custom: { limits: {}, renewals: 'counted' },
};

export interface TermsOptions {
  readonly preset: PresetName;
  /** See `AuthorityTerms.id`. */
  readonly id: string;
  /** What the CA granted beyond the preset, or what it says of itself. */
  readonly overrides?: LimitOverrides;
}

export type LimitOverrides = Readonly<Partial<Record<LimitName, RateLimit | 'none'>>>;

export function termsOf({ preset, id, overrides = {} }: TermsOptions): AuthorityTerms {
  const { limits: published, ...rest } = PRESETS[preset];
  const limits: Partial<Record<LimitName, RateLimit>> = {};
  for (const name of LIMIT_NAMES) {
    const limit = overrides[name] ?? published[name];
    if (limit !== undefined && limit !== 'none') limits[name] = limit;
  }
  return { ...rest, id, limits };
}
