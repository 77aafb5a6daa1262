/** Authorizations and challenges as clients see and trigger them (RFC 8555 §7.5). */
import type { Clock } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { Account } from './accounts.ts';
import { presentAuthorization, presentChallenge, type Authorization, type Challenge } from './authorizations.ts';
import { json, type Answer } from './exchange.ts';
import { requireAccount, type SignedRequest } from './gatekeeper.ts';
import { parse, parseJson } from './jws.ts';
import type { Links } from './links.ts';
import { Problem } from './problems.ts';
import type { Proving } from './proving.ts';

export interface AuthorizationDeskOptions {
  readonly clock: Clock;
  readonly proving: Proving;
  readonly links: Links;
}

/** RFC 8555 §7.5.2 knows no other change. */
const AuthorizationChange = z.object({ status: z.literal('deactivated') });

/** RFC 8555 §7.5.1: an object without members that matter. */
const Trigger = z.object({});

export class AuthorizationDesk {
  readonly #parts: AuthorizationDeskOptions;

  constructor(options: AuthorizationDeskOptions) {
    this.#parts = options;
  }

  authorization(request: SignedRequest, accountId: string, id: string): Answer {
    const authorization = this.#find(requireAccount(request), accountId, id);
    if (request.payload.length === 0) return this.#present(authorization);
    parse(AuthorizationChange, parseJson(request.payload, 'authorization update'), 'authorization update');
    return this.#present(this.#parts.proving.deactivate(authorization));
  }

  challenge(request: SignedRequest, accountId: string, id: string, challengeId: string): Answer {
    const account = requireAccount(request);
    const authorization = this.#find(account, accountId, id);
    const challenge = authorization.challenges.find((one) => one.id === challengeId);
    if (challenge === undefined) throw new Problem('malformed', 'No such challenge', { status: 404 });
    if (request.payload.length === 0) return this.#presentChallenge(authorization, challenge);
    parse(Trigger, parseJson(request.payload, 'challenge response'), 'challenge response');
    return this.#presentChallenge(this.#parts.proving.trigger(account, authorization, challenge), challenge);
  }

  /** The account in the URL has to be the authorization's own. */
  #find(account: Account, accountId: string, id: string): Authorization {
    const authorization = this.#parts.proving.find(account, id);
    if (authorization.accountId === accountId) return authorization;
    throw new Problem('malformed', 'No such authorization', { status: 404 });
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
