/** The model CA as the broker's authority port sees it, at the far end of a network: requests and answers take their time. */
import { REVOCATION_CODES, problemError, replacementError } from '@lanyard/broker/virtual';
import type {
  Authority,
  AuthorityOrder,
  Authorization,
  NewOrder,
  ReadIssuedChain,
  Refusal,
  RenewalInfo,
  RevocationReason,
} from '@lanyard/broker/virtual';
import { LanyardError } from '@lanyard/sdk/kernel';
import { ConnectionCut } from '../../world/authority/connection-cut.ts';
import type { DirectDoor, DirectOrder } from '../../world/authority/direct-door.ts';
import { Problem } from '../../world/authority/problems.ts';
import { roundTrip } from './round-trip.ts';
import type { RoundTripParts } from './round-trip.ts';

export interface DirectAuthorityParts extends RoundTripParts {
  readonly door: DirectDoor;
  /** Asked with every order: a scenario may change it. */
  readonly profile: () => string | undefined;
  readonly readChain: ReadIssuedChain;
  /** Whether the CA says when to renew, and takes replacements (RFC 9773). */
  readonly hasRenewalInfo: boolean;
}

export class DirectAuthority implements Authority {
  readonly #parts: DirectAuthorityParts;

  constructor(parts: DirectAuthorityParts) {
    this.#parts = parts;
  }

  async newOrder({ names, replaces }: NewOrder, signal: AbortSignal): Promise<AuthorityOrder> {
    const { profile: chosen, hasRenewalInfo } = this.#parts;
    const profile = chosen();
    const isReplacing = hasRenewalInfo && replaces !== undefined;
    const wanted = { names, ...(profile !== undefined && { profile }), ...(isReplacing && { replaces }) };
    try {
      return orderOf(await this.#ask('service', signal, (door) => door.newOrder(wanted)));
    } catch (error) {
      throw replaces === undefined ? error : replacementError(error);
    }
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
      challengeKind: 'dns-01',
      challenge: { url: id, record: { kind: 'txt', name: recordName, value: recordValue } },
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

  async revoke(chain: string, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    const { serial } = this.#parts.readChain(chain);
    await this.#ask('service', signal, (door) => door.revoke(serial, REVOCATION_CODES[reason]));
  }

  async revocationTicket(): Promise<never> {
    throw new LanyardError('authority-refused', { message: 'what a certificate’s key signs needs ACME' });
  }

  async revokeByKey(): Promise<never> {
    return await this.revocationTicket();
  }

  async renewalInfo(renewalId: string, signal: AbortSignal): Promise<RenewalInfo | undefined> {
    if (!this.#parts.hasRenewalInfo) return undefined;
    const info = await this.#ask('service', signal, (door) => door.renewalInfo(renewalId));
    const { startMs, endMs, explanationUrl, retryAfterSeconds } = info;
    return {
      window: { startMs, endMs },
      ...(explanationUrl !== undefined && { explanationUrl }),
      retryAfterMs: retryAfterSeconds * 1_000,
    };
  }

  async #ask<T>(subject: Refusal['subject'], signal: AbortSignal, call: (door: DirectDoor) => Promise<T>): Promise<T> {
    try {
      return await roundTrip(this.#parts, () => {
        signal.throwIfAborted();
        return call(this.#parts.door);
      });
    } catch (error) {
      throw translated(error, subject, this.#parts.clock.nowMs());
    }
  }
}

function translated(error: unknown, subject: Refusal['subject'], nowMs: number): unknown {
  if (error instanceof ConnectionCut) return new LanyardError('authority-unreachable', { cause: error });
  if (!(error instanceof Problem)) return error;
  const { retryAfterSeconds } = error.options;
  const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
  return problemError({ status: error.status, document: error.document(), retryAfterMs, subject, nowMs });
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
