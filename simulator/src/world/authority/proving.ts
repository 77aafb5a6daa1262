/** The rules of authorizations: who may see one, when it is looked at, and what a failure costs (RFC 8555 §7.5). */
import { deadline, describeError, type Clock, type Logger, type Random } from '@lanyard/sdk/kernel';
import type { Account } from './accounts.ts';
import type { AuthorityEvent } from './authority-event.ts';
import { authorizationStatus, type Authorization, type Authorizations, type Challenge } from './authorizations.ts';
import type { Background } from './background.ts';
import type { Counters } from './counters.ts';
import type { Limiter } from './limiter.ts';
import type { Links } from './links.ts';
import type { Pausing } from './pausing.ts';
import type { AuthorityPolicy } from './policy.ts';
import { Problem } from './problems.ts';
import type { Profiles } from './profiles.ts';
import type { Validator } from './validation.ts';

export interface ProvingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly profiles: Profiles;
  readonly authorizations: Authorizations;
  readonly limiter: Limiter;
  readonly pausing: Pausing;
  readonly validator: Validator;
  readonly background: Background;
  readonly links: Links;
  readonly counters: Counters;
  readonly tell: (event: AuthorityEvent) => void;
}

export class Proving {
  readonly #parts: ProvingParts;

  constructor(parts: ProvingParts) {
    this.#parts = parts;
  }

  /** @throws Problem `malformed` (404) | `unauthorized` */
  find(account: Account, id: string): Authorization {
    const authorization = this.#parts.authorizations.get(id);
    if (authorization === undefined) throw new Problem('malformed', 'No such authorization', { status: 404 });
    if (authorization.accountId !== account.id) {
      throw new Problem('unauthorized', "User account ID doesn't match account ID in authorization");
    }
    if (authorizationStatus(authorization, this.#parts.clock.nowMs()) === 'expired') {
      throw new Problem('malformed', 'Expired authorization', { status: 404 });
    }
    return authorization;
  }

  trigger(account: Account, authorization: Authorization, challenge: Challenge): Authorization {
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
    // First its state, since work without delay begins at once.
    const begun = authorizations.beginValidation(authorization, challenge);
    try {
      void background.run(delayMs, (signal) => this.#validate(begun.id, challenge, keyAuthorization, signal));
    } catch (error) {
      authorizations.withdrawValidation(begun);
      throw error;
    }
    return begun;
  }

  /** RFC 8555 §7.5.2. */
  deactivate(authorization: Authorization): Authorization {
    return this.#parts.authorizations.deactivate(authorization);
  }

  async #validate(id: string, challenge: Challenge, keyAuthorization: string, signal: AbortSignal): Promise<void> {
    const { authorizations, counters, clock, limiter, profiles } = this.#parts;
    const authorization = authorizations.get(id);
    if (authorization === undefined) return;
    counters.add('validations');
    const problem = await this.#look(authorization, challenge, keyAuthorization, signal);
    if (signal.aborted) return;
    const current = authorizations.get(id);
    // Deactivated meanwhile.
    if (current?.outcome.kind !== 'validating') return;
    if (problem !== undefined) return this.#fail(current, challenge, problem);
    limiter.bookSuccess(current.accountId, current.name);
    authorizations.succeed(current, challenge, profiles.get(current.profileName), clock.nowMs());
  }

  #fail(authorization: Authorization, challenge: Challenge, problem: Problem): void {
    const { authorizations, counters, clock, limiter, pausing, tell } = this.#parts;
    const { accountId, name } = authorization;
    counters.add('failedValidations');
    if (limiter.bookFailure(accountId, name)) pausing.pause(accountId, name);
    authorizations.fail(authorization, challenge, problem.document(), clock.nowMs());
    tell({ kind: 'validation-failed', accountId, name, problem: problem.type, detail: problem.message });
  }

  async #look(
    authorization: Authorization,
    challenge: Challenge,
    keyAuthorization: string,
    signal: AbortSignal,
  ): Promise<Problem | undefined> {
    // Nothing in an appliance's LAN can be reached by HTTP or TLS: that is why Lanyard exists.
    if (challenge.type !== 'dns-01') return new Problem('connection', 'Fetching failed: Connection refused');
    const { clock, policy, validator } = this.#parts;
    using limit = policy.validationLimitMs > 0 ? deadline(clock, policy.validationLimitMs, signal) : undefined;
    const lookSignal = limit?.signal ?? signal;
    const accountUrl = this.#parts.links.account(authorization.accountId);
    try {
      await validator.prove({ name: authorization.name, accountUrl, keyAuthorization }, lookSignal);
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return error;
      if (lookSignal.aborted) return new Problem('dns', 'DNS problem: query timed out');
      this.#parts.log.error({ error: describeError(error) }, 'the model CA could not validate');
      return new Problem('serverInternal', 'Error validating challenge');
    }
  }
}
