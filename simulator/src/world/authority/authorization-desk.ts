/** Authorizations and challenges as clients see and trigger them (RFC 8555 §7.5). */
import { deadline, describeError, type Clock, type Logger, type Random } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { Account } from './accounts.ts';
import {
  authorizationStatus,
  presentAuthorization,
  presentChallenge,
  type Authorization,
  type Authorizations,
  type Challenge,
} from './authorizations.ts';
import type { Background } from './background.ts';
import type { Counters } from './counters.ts';
import { json, type Answer } from './exchange.ts';
import { requireAccount, type SignedRequest } from './gatekeeper.ts';
import { parse, parseJson } from './jws.ts';
import type { Links } from './links.ts';
import type { AuthorityPolicy } from './policy.ts';
import { Problem } from './problems.ts';
import type { Validator } from './validation.ts';

export interface AuthorizationDeskOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly authorizations: Authorizations;
  readonly validator: Validator;
  readonly background: Background;
  readonly links: Links;
  readonly counters: Counters;
}

/** RFC 8555 §7.5.2 knows no other change. */
const AuthorizationChange = z.object({ status: z.literal('deactivated') });

/** RFC 8555 §7.5.1: an object without members that matter. */
const Trigger = z.object({});

/** Longer than three tries at each of a few lookups. */
const VALIDATION_LIMIT_MS = 60_000;

export class AuthorizationDesk {
  readonly #parts: AuthorizationDeskOptions;

  constructor(options: AuthorizationDeskOptions) {
    this.#parts = options;
  }

  authorization(request: SignedRequest, accountId: string, id: string): Answer {
    const authorization = this.#find(requireAccount(request), accountId, id);
    if (request.payload.length === 0) return this.#present(authorization);
    parse(AuthorizationChange, parseJson(request.payload, 'authorization update'), 'authorization update');
    return this.#present(this.#parts.authorizations.deactivate(authorization));
  }

  challenge(request: SignedRequest, accountId: string, id: string, challengeId: string): Answer {
    const account = requireAccount(request);
    const authorization = this.#find(account, accountId, id);
    const challenge = authorization.challenges.find((one) => one.id === challengeId);
    if (challenge === undefined) throw new Problem('malformed', 'No such challenge', { status: 404 });
    if (request.payload.length === 0) return this.#presentChallenge(authorization, challenge);
    parse(Trigger, parseJson(request.payload, 'challenge response'), 'challenge response');
    return this.#presentChallenge(this.#trigger(account, authorization, challenge), challenge);
  }

  #find(account: Account, accountId: string, id: string): Authorization {
    const authorization = this.#parts.authorizations.get(id);
    if (authorization === undefined || accountId !== authorization.accountId) {
      throw new Problem('malformed', 'No such authorization', { status: 404 });
    }
    if (authorization.accountId !== account.id) {
      throw new Problem('unauthorized', "User account ID doesn't match account ID in authorization");
    }
    if (authorizationStatus(authorization, this.#parts.clock.nowMs()) === 'expired') {
      throw new Problem('malformed', 'Expired authorization', { status: 404 });
    }
    return authorization;
  }

  #trigger(account: Account, authorization: Authorization, challenge: Challenge): Authorization {
    const { kind } = authorization.outcome;
    // Asked twice: the first time counts.
    if (kind === 'validating' || kind === 'valid') return authorization;
    if (kind !== 'pending') {
      throw new Problem('malformed', 'Unable to update challenge :: authorization must be pending');
    }
    const { authorizations, background, policy, random } = this.#parts;
    const delayMs = random.uniform() * policy.validationDelayMs;
    // RFC 8555 §8.1: with the key that the account has now.
    const keyAuthorization = `${challenge.token}.${account.key.thumbprint}`;
    void background.run(delayMs, (signal) => this.#validate(authorization.id, challenge, keyAuthorization, signal));
    return authorizations.beginValidation(authorization, challenge);
  }

  async #validate(id: string, challenge: Challenge, keyAuthorization: string, signal: AbortSignal): Promise<void> {
    const { authorizations, counters, clock, policy } = this.#parts;
    const authorization = authorizations.get(id);
    if (authorization === undefined) return;
    counters.add('validations');
    const problem = await this.#look(authorization, challenge, keyAuthorization, signal);
    if (signal.aborted) return;
    const current = authorizations.get(id);
    // Deactivated meanwhile.
    if (current?.outcome.kind !== 'validating') return;
    if (problem !== undefined) {
      counters.add('failedValidations');
      authorizations.fail(current, challenge, problem.document(), clock.nowMs());
      return;
    }
    const profile = policy.profiles[current.profileName];
    if (profile !== undefined) authorizations.succeed(current, challenge, profile, clock.nowMs());
  }

  async #look(
    authorization: Authorization,
    challenge: Challenge,
    keyAuthorization: string,
    signal: AbortSignal,
  ): Promise<Problem | undefined> {
    // Nothing in an appliance's LAN can be reached by HTTP or TLS: that is why Lanyard exists.
    if (challenge.type !== 'dns-01') return new Problem('connection', 'Fetching failed: Connection refused');
    using limit = deadline(this.#parts.clock, VALIDATION_LIMIT_MS, signal);
    const accountUrl = this.#parts.links.account(authorization.accountId);
    try {
      await this.#parts.validator.prove({ name: authorization.name, accountUrl, keyAuthorization }, limit.signal);
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return error;
      if (limit.signal.aborted) return new Problem('dns', 'DNS problem: query timed out');
      this.#parts.log.error({ error: describeError(error) }, 'the model CA could not validate');
      return new Problem('serverInternal', 'Error validating challenge');
    }
  }

  #present(authorization: Authorization): Answer {
    const answer = json(presentAuthorization(authorization, this.#parts.links, this.#parts.clock.nowMs()));
    // RFC 8555 §7.5.1: only while something is on its way.
    return authorization.outcome.kind === 'validating' ? { ...answer, retryAfterSeconds: 1 } : answer;
  }

  #presentChallenge(authorization: Authorization, challenge: Challenge): Answer {
    const { links } = this.#parts;
    return {
      ...json(presentChallenge(authorization, challenge, links)),
      location: links.challenge(authorization, challenge),
      links: { up: links.authorization(authorization.accountId, authorization.id) },
      ...(authorization.outcome.kind === 'validating' ? { retryAfterSeconds: 1 } : {}),
    };
  }
}
