/** Everything about the model CA that a scenario may want otherwise, as data, with Let's Encrypt's values. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** One kind of certificate (draft-ietf-acme-profiles). */
export interface Profile {
  /** What the directory says about it. */
  readonly description: string;
  readonly validityMs: number;
  readonly maxNames: number;
  readonly orderLifetimeMs: number;
  readonly pendingAuthorizationMs: number;
  /** How long a proof serves later orders of the same account, name and profile. 0: every order proves anew. */
  readonly authorizationReuseMs: number;
}

/** From `fromMs` on, the profile of that name is different in these points. */
export interface DatedChange {
  readonly fromMs: number;
  readonly profile: string;
  readonly change: Partial<Profile>;
}

export type ChallengeType = 'dns-01' | 'http-01' | 'tls-alpn-01';

export interface AuthorityPolicy {
  /** How many of a hundred good nonces are refused, so that every client learns to cope. */
  readonly nonceRejectPercent: number;
  readonly profiles: Readonly<Record<string, Profile>>;
  /** What becomes of the profiles as time goes on. */
  readonly profileChanges: readonly DatedChange[];
  /** What an order gets that names no profile. */
  readonly defaultProfile: string;
  /** How long an order stays `processing`. 0: finalize answers with the finished order, as Boulder's production does. */
  readonly asyncFinalizeMs: number;
  /** A triggered challenge is looked at after a random part of this. */
  readonly validationDelayMs: number;
  /** The longest that a look may take. 0: as long as the resolver takes, for resolvers that always answer. */
  readonly validationLimitMs: number;
  /** CAA is looked up again at finalize when the proof is older than this. */
  readonly caaRecheckMs: number;
  /** How soon a client may ask for renewal information again, give or take a fifth. 0: there is none (RFC 9773). */
  readonly renewalPollMs: number;
  /** The issuer domain that CAA records must name. */
  readonly caaIdentity: string;
  /** How many vantage points look besides the primary one. */
  readonly remotePerspectives: number;
  /** What is offered for a plain name; a wildcard is always offered dns-01 alone. Only dns-01 can succeed. */
  readonly challengeTypes: readonly ChallengeType[];
}

/** Let's Encrypt in November 2026 (letsencrypt.org/docs/profiles), with times short enough to wait for. */
export const BOULDER_POLICY: AuthorityPolicy = {
  // Pebble's default (PEBBLE_WFE_NONCEREJECT).
  nonceRejectPercent: 5,
  profiles: {
    classic: {
      description: 'The default: 90 days.',
      validityMs: 90 * DAY_MS,
      maxNames: 100,
      orderLifetimeMs: 7 * DAY_MS,
      pendingAuthorizationMs: 7 * DAY_MS,
      authorizationReuseMs: 30 * DAY_MS,
    },
    tlsserver: {
      description: 'For servers only, without a common name: 45 days.',
      validityMs: 45 * DAY_MS,
      maxNames: 25,
      orderLifetimeMs: 8 * HOUR_MS,
      pendingAuthorizationMs: HOUR_MS,
      authorizationReuseMs: 7 * HOUR_MS,
    },
    shortlived: {
      description: 'Too short to need revocation: 160 hours.',
      validityMs: 160 * HOUR_MS,
      maxNames: 25,
      orderLifetimeMs: 8 * HOUR_MS,
      pendingAuthorizationMs: HOUR_MS,
      authorizationReuseMs: 7 * HOUR_MS,
    },
  },
  profileChanges: [],
  defaultProfile: 'classic',
  asyncFinalizeMs: 300,
  validationDelayMs: 200,
  // Longer than three tries at each of a few lookups.
  validationLimitMs: 60_000,
  // Boulder's caaRecheckDuration: a CAA answer may serve for eight hours (Baseline Requirements §3.2.2.8.1).
  caaRecheckMs: 7 * HOUR_MS,
  // Boulder's since 27 January 2026.
  renewalPollMs: 6 * HOUR_MS,
  caaIdentity: 'model.lanyard.test',
  // Baseline Requirements §3.2.2.9 from 15 December 2026; Let's Encrypt has had five for years.
  remotePerspectives: 5,
  challengeTypes: ['http-01', 'dns-01', 'tls-alpn-01'],
};

/** The profiles with the same change made to each, for instance no reuse of proofs. */
export function changeProfiles(
  profiles: Readonly<Record<string, Profile>>,
  change: Partial<Profile>,
): Readonly<Record<string, Profile>> {
  return Object.fromEntries(Object.entries(profiles).map(([name, profile]) => [name, { ...profile, ...change }]));
}
