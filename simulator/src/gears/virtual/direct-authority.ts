/** The model CA as the broker's authority port sees it, at the far end of a network: requests and answers take their time. */
import { problemError } from '@lanyard/broker/virtual';
import type { Authority, AuthorityOrder, Authorization, NewOrder, Refusal } from '@lanyard/broker/virtual';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import { ConnectionCut } from '../../world/authority/connection-cut.ts';
import type { DirectDoor, DirectOrder } from '../../world/authority/direct-door.ts';
import { Problem } from '../../world/authority/problems.ts';

export interface DirectAuthorityParts {
  readonly door: DirectDoor;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked with every order: a scenario may change it. */
  readonly profile: () => string | undefined;
}

/** There and back again, to a CA that does its work in between: as measured with Let's Encrypt from Europe. */
const ROUND_TRIP_MS = { least: 60, spread: 240 };

export class DirectAuthority implements Authority {
  readonly #parts: DirectAuthorityParts;

  constructor(parts: DirectAuthorityParts) {
    this.#parts = parts;
  }

  async newOrder({ names, replaces }: NewOrder, signal: AbortSignal): Promise<AuthorityOrder> {
    const profile = this.#parts.profile();
    const wanted = { names, ...(profile !== undefined && { profile }), ...(replaces !== undefined && { replaces }) };
    return orderOf(await this.#ask('service', signal, (door) => door.newOrder(wanted)));
  }

  async order(orderUrl: string, signal: AbortSignal): Promise<AuthorityOrder> {
    return orderOf(await this.#ask('order', signal, (door) => door.order(orderUrl)));
  }

  async authorization(authorizationUrl: string, signal: AbortSignal): Promise<Authorization> {
    const read = await this.#ask('order', signal, (door) => door.authorization(authorizationUrl));
    const { id, status, name, recordName, recordValue, problem } = read;
    return {
      url: id,
      name,
      status,
      challenge: { url: id, recordName, recordValue },
      ...(problem && { problem: { type: problem.type, detail: problem.detail } }),
    };
  }

  async trigger(challengeUrl: string, signal: AbortSignal): Promise<void> {
    await this.#ask('challenge', signal, (door) => door.trigger(challengeUrl));
  }

  async finalize(finalizeUrl: string, csr: Uint8Array, signal: AbortSignal): Promise<AuthorityOrder> {
    return orderOf(await this.#ask('order', signal, (door) => door.finalize(finalizeUrl, csr)));
  }

  async certificate(certificateUrl: string, signal: AbortSignal): Promise<string> {
    return (await this.#ask('order', signal, (door) => door.certificate(certificateUrl))).chainPem();
  }

  async #ask<T>(subject: Refusal['subject'], signal: AbortSignal, call: (door: DirectDoor) => Promise<T>): Promise<T> {
    const { door, clock, random } = this.#parts;
    const wayMs = (ROUND_TRIP_MS.least + random.uniform() * ROUND_TRIP_MS.spread) / 2;
    await passing(clock, wayMs);
    signal.throwIfAborted();
    const outcome = await call(door).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await passing(clock, wayMs);
    if ('value' in outcome) return outcome.value;
    throw translated(outcome.error, subject);
  }
}

/** Without an eye on the signal: a request that has left cannot be called back. */
function passing(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(delayMs, resolve));
}

function translated(error: unknown, subject: Refusal['subject']): unknown {
  if (error instanceof ConnectionCut) return new LanyardError('authority-unreachable', { cause: error });
  if (!(error instanceof Problem)) return error;
  const { retryAfterSeconds } = error.options;
  const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
  return problemError({ status: error.status, document: error.document(), retryAfterMs, subject });
}

function orderOf(order: DirectOrder): AuthorityOrder {
  const { id, status, authorizationIds, certificateSerial, retryAfterSeconds, problem } = order;
  return {
    url: id,
    status,
    authorizationUrls: authorizationIds,
    finalizeUrl: id,
    ...(certificateSerial !== undefined && { certificateUrl: certificateSerial }),
    ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1_000 }),
    ...(problem && { problem: { type: problem.type, detail: problem.detail } }),
  };
}
