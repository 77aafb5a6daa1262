/** Whole CAs by name: a policy and its limits, as scenarios ask for them. */
import { BOULDER_POLICY, type AuthorityPolicy } from './policy.ts';
import { LETSENCRYPT_CALENDAR, STAGING_CALENDAR } from './profiles.ts';
import { LETSENCRYPT, LETSENCRYPT_OVERRIDE, LETSENCRYPT_STAGING, NO_LIMITS, type RateLimits } from './rate-limits.ts';

export interface AuthorityPreset {
  readonly policy: AuthorityPolicy;
  readonly limits: RateLimits;
}

export type PresetName = 'unlimited' | 'letsencrypt' | 'letsencrypt-staging' | 'letsencrypt-override';

// Boulder's asynchronous finalize is on in staging and off in production (2 February 2026).
const PRODUCTION: AuthorityPolicy = { ...BOULDER_POLICY, asyncFinalizeMs: 0, profileChanges: LETSENCRYPT_CALENDAR };

export const AUTHORITY_PRESETS: Readonly<Record<PresetName, AuthorityPreset>> = {
  unlimited: { policy: BOULDER_POLICY, limits: NO_LIMITS },
  letsencrypt: { policy: PRODUCTION, limits: LETSENCRYPT },
  'letsencrypt-staging': {
    policy: { ...BOULDER_POLICY, profileChanges: STAGING_CALENDAR },
    limits: LETSENCRYPT_STAGING,
  },
  'letsencrypt-override': { policy: PRODUCTION, limits: LETSENCRYPT_OVERRIDE },
};
