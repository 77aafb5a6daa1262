/** Authorizations and their challenges (RFC 8555 §7.1.4): what has to be proved, and what became of it. */
import { randomHex, type Random } from '@lanyard/sdk/kernel';
import { ExpiringStore } from './expiring-store.ts';
import { baseName, isWildcard } from './names.ts';
import type { AuthorityPolicy, ChallengeType, Profile } from './policy.ts';
import { Problem, type ProblemDocument } from './problems.ts';

export interface Authorization {
  readonly id: string;
  readonly accountId: string;
  readonly profileName: string;
  /** As ordered, with the asterisk of a wildcard. */
  readonly name: string;
  readonly challenges: readonly Challenge[];
  readonly outcome: Outcome;
  readonly expiresAtMs: number;
}

export interface Challenge {
  readonly id: string;
  readonly type: ChallengeType;
  readonly token: string;
}

export type Outcome =
  | { readonly kind: 'pending' }
  | { readonly kind: 'validating'; readonly challengeId: string }
  | { readonly kind: 'valid'; readonly challengeId: string; readonly validatedAtMs: number }
  | { readonly kind: 'invalid'; readonly challengeId: string; readonly atMs: number; readonly problem: ProblemDocument }
  | { readonly kind: 'deactivated' };

export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired';

export function authorizationStatus(authorization: Authorization, nowMs: number): AuthorizationStatus {
  const { kind } = authorization.outcome;
  switch (kind) {
    case 'invalid':
    case 'deactivated':
      return kind;
    case 'valid':
      return authorization.expiresAtMs <= nowMs ? 'expired' : 'valid';
    case 'pending':
    case 'validating':
      // Boulder shows no `processing` while it looks; clients must cope with a challenge that stays pending.
      return authorization.expiresAtMs <= nowMs ? 'expired' : 'pending';
  }
}

/** A million names with two orders each in a classic proof's life. */
const AUTHORIZATION_LIMIT = 2_000_000;

const DAY_MS = 86_400_000;

/** RFC 8555 §8.3 wants 128 bits; Boulder uses 256. */
const TOKEN_BYTES = 32;

export class Authorizations {
  readonly #random: Random;
  readonly #policy: AuthorityPolicy;
  /** The newest proof of each account, profile and name. */
  readonly #proofs = new Map<string, string>();
  readonly #store: ExpiringStore<Authorization>;

  constructor(options: {
    readonly random: Random;
    readonly policy: AuthorityPolicy;
    readonly limit?: number | undefined;
  }) {
    this.#random = options.random;
    this.#policy = options.policy;
    this.#store = new ExpiringStore({
      limit: options.limit ?? AUTHORIZATION_LIMIT,
      onForgotten: (authorization) => {
        const key = proofKey(authorization);
        if (this.#proofs.get(key) === authorization.id) this.#proofs.delete(key);
      },
    });
  }

  get size(): number {
    return this.#store.size;
  }

  get(id: string): Authorization | undefined {
    return this.#store.get(id);
  }

  create(
    wanted: Pick<Authorization, 'accountId' | 'profileName' | 'name'>,
    profile: Profile,
    nowMs: number,
  ): Authorization {
    const offered = this.#policy.challengeTypes.filter((type) => type === 'dns-01' || !isWildcard(wanted.name));
    const authorization: Authorization = {
      ...wanted,
      id: randomHex(this.#random, 10),
      challenges: this.#shuffled(offered).map((type) => ({
        id: randomHex(this.#random, 4),
        type,
        token: Buffer.from(this.#random.bytes(TOKEN_BYTES)).toString('base64url'),
      })),
      outcome: { kind: 'pending' },
      expiresAtMs: nowMs + profile.pendingAuthorizationMs,
    };
    this.#store.add(authorization, nowMs);
    return authorization;
  }

  /** A proof that may serve a new order. */
  reusable(wanted: Pick<Authorization, 'accountId' | 'profileName' | 'name'>, profile: Profile, nowMs: number) {
    const proof = this.#store.get(this.#proofs.get(proofKey(wanted)) ?? '');
    if (proof?.outcome.kind !== 'valid' || proof.expiresAtMs <= nowMs) return undefined;
    // Boulder leaves aside what ends within a day, since the new order should not end with it; an hour for seven.
    const marginMs = Math.min(DAY_MS, profile.authorizationReuseMs / 7);
    const lastUseMs = proof.outcome.validatedAtMs + profile.authorizationReuseMs - marginMs;
    return nowMs < lastUseMs ? proof : undefined;
  }

  /** Whether the account has proved the name under any profile. */
  isProved(accountId: string, name: string, nowMs: number): boolean {
    return Object.keys(this.#policy.profiles).some((profileName) => {
      const proof = this.#store.get(this.#proofs.get(proofKey({ accountId, profileName, name })) ?? '');
      return proof !== undefined && authorizationStatus(proof, nowMs) === 'valid';
    });
  }

  beginValidation(authorization: Authorization, challenge: Challenge): Authorization {
    return this.#replace({ ...authorization, outcome: { kind: 'validating', challengeId: challenge.id } });
  }

  /** Nobody could look after all. */
  withdrawValidation(authorization: Authorization): Authorization {
    return this.#replace({ ...authorization, outcome: { kind: 'pending' } });
  }

  /** Even a proof that may not be used again outlives its order, which ends when it would have ended unproved. */
  succeed(authorization: Authorization, challenge: Challenge, profile: Profile, nowMs: number): Authorization {
    const lifetimeMs = Math.max(profile.authorizationReuseMs, profile.pendingAuthorizationMs);
    this.#proofs.set(proofKey(authorization), authorization.id);
    return this.#replace({
      ...authorization,
      outcome: { kind: 'valid', challengeId: challenge.id, validatedAtMs: nowMs },
      expiresAtMs: nowMs + lifetimeMs,
    });
  }

  fail(authorization: Authorization, challenge: Challenge, problem: ProblemDocument, atMs: number): Authorization {
    return this.#replace({ ...authorization, outcome: { kind: 'invalid', challengeId: challenge.id, problem, atMs } });
  }

  /** RFC 8555 §7.5.2. */
  deactivate(authorization: Authorization): Authorization {
    const { kind } = authorization.outcome;
    if (kind === 'invalid' || kind === 'deactivated') {
      throw new Problem('malformed', `authorization is ${kind} and cannot be deactivated`);
    }
    return this.#replace({ ...authorization, outcome: { kind: 'deactivated' } });
  }

  #replace(authorization: Authorization): Authorization {
    this.#store.update(authorization);
    return authorization;
  }

  /** RFC 8555 promises no order; a client that takes the first challenge should find out. */
  #shuffled(types: readonly ChallengeType[]): readonly ChallengeType[] {
    return types
      .map((type) => ({ type, rank: this.#random.uniform() }))
      .toSorted((one, other) => one.rank - other.rank)
      .map(({ type }) => type);
  }
}

export interface AuthorizationLinks {
  challenge(authorization: Authorization, challenge: Challenge): string;
}

/** RFC 8555 §7.1.4 as JSON. */
export function presentAuthorization(authorization: Authorization, links: AuthorizationLinks, nowMs: number): object {
  const { outcome, challenges } = authorization;
  // RFC 8555 §7.1.4: once decided, only the challenge that decided is shown.
  const decided = outcome.kind === 'valid' || outcome.kind === 'invalid' ? outcome.challengeId : undefined;
  return {
    status: authorizationStatus(authorization, nowMs),
    identifier: { type: 'dns', value: baseName(authorization.name) },
    expires: new Date(authorization.expiresAtMs).toISOString(),
    challenges: challenges
      .filter((challenge) => decided === undefined || challenge.id === decided)
      .map((challenge) => presentChallenge(authorization, challenge, links)),
    ...(isWildcard(authorization.name) ? { wildcard: true } : {}),
  };
}

/** RFC 8555 §8 as JSON. */
export function presentChallenge(
  authorization: Authorization,
  challenge: Challenge,
  links: AuthorizationLinks,
): object {
  const { outcome } = authorization;
  const shared = { type: challenge.type, url: links.challenge(authorization, challenge), token: challenge.token };
  if (outcome.kind === 'valid' && outcome.challengeId === challenge.id) {
    return { ...shared, status: 'valid', validated: new Date(outcome.validatedAtMs).toISOString() };
  }
  if (outcome.kind === 'invalid' && outcome.challengeId === challenge.id) {
    return { ...shared, status: 'invalid', error: outcome.problem, validated: new Date(outcome.atMs).toISOString() };
  }
  return { ...shared, status: 'pending' };
}

function proofKey(proof: Pick<Authorization, 'accountId' | 'profileName' | 'name'>): string {
  return `${proof.accountId} ${proof.profileName} ${proof.name}`;
}
