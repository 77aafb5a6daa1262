/** Has an appliance revoke its certificate by the certificate's own key, which makes the CA block that key. */
import { LanyardError, deadline, randomId } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import { parseDown } from '@lanyard/sdk/protocol';
import type { DownMessage, FlattenedJws, RevocationWish, SignedRevocation } from '@lanyard/sdk/protocol';
import type { Authority } from './authority.ts';

export interface KeyRevocationParts {
  /** False: the appliance is not connected. */
  readonly send: (deviceId: string, message: DownMessage) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A certificate, and the CA that issued it. */
export interface Revocable {
  readonly deviceId: string;
  readonly fingerprint: string;
  /** PEM, leaf first. */
  readonly chain: string;
  readonly authority: Pick<Authority, 'revocationTicket' | 'revokeByKey'>;
}

/** An appliance signs in milliseconds, after a round trip; a slow line takes some seconds. */
const ANSWER_MS = 30_000;

/** An operator asks for one at a time; more than this is a mistake that would use up nonces and patience. */
const MOST_UNDER_WAY = 16;

/** The CA's nonce may have become stale while the appliance signed; a second refusal is no accident. */
const TRIES = 2;

interface Awaited {
  readonly id: string;
  readonly take: (jws: FlattenedJws) => void;
}

export class KeyRevocation {
  readonly #parts: KeyRevocationParts;
  readonly #underWay = new Set<string>();
  readonly #awaited = new Map<string, Awaited>();

  constructor(parts: KeyRevocationParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the CA has revoked the certificate. Repeated after a crash in between, it does no harm.
   * @throws LanyardError `revocation-unsigned`, or what the CA throws.
   */
  async revoke(revocable: Revocable, signal: AbortSignal): Promise<void> {
    const { deviceId } = revocable;
    if (this.#underWay.has(deviceId)) throw unsigned('it is asked to sign one already');
    if (this.#underWay.size >= MOST_UNDER_WAY) throw unsigned(`${MOST_UNDER_WAY} others are asked already`);
    this.#underWay.add(deviceId);
    try {
      await this.#tryTo(revocable, signal, TRIES);
    } finally {
      this.#underWay.delete(deviceId);
    }
  }

  /** The appliance's answer. One that nobody waits for any more is dropped. */
  answered(deviceId: string, { id, jws }: SignedRevocation): void {
    const awaited = this.#awaited.get(deviceId);
    if (awaited?.id === id) awaited.take(jws);
    else this.#parts.log.warn({ deviceId, id }, 'an appliance signed a revocation that is not waited for');
  }

  async #tryTo(revocable: Revocable, signal: AbortSignal, tries: number): Promise<void> {
    const { deviceId, fingerprint, chain, authority } = revocable;
    const ticket = await authority.revocationTicket(signal);
    const wish = { id: `revoke-${randomId(this.#parts.random)}`, fingerprint, ...ticket };
    const jws = await this.#signed(deviceId, wish, signal);
    try {
      await authority.revokeByKey({ chain, ticket, jws }, signal);
    } catch (error) {
      if (tries <= 1 || !LanyardError.is(error, 'authority-nonce-refused')) throw error;
      await this.#tryTo(revocable, signal, tries - 1);
    }
  }

  async #signed(deviceId: string, wish: RevocationWish, signal: AbortSignal): Promise<FlattenedJws> {
    const { send, clock } = this.#parts;
    const readable = parseDown('revocation', wish);
    // It would be dropped in silence over there.
    if (!readable.ok) throw new LanyardError('authority-protocol', { message: `revokeCert: ${readable.message}` });
    using limit = deadline(clock, ANSWER_MS, signal);
    try {
      return await new Promise((take, giveUp) => {
        limit.signal.addEventListener('abort', () => giveUp(signal.aborted ? new LanyardError('stopped') : silent()));
        this.#awaited.set(deviceId, { id: wish.id, take });
        if (!send(deviceId, { kind: 'revocation', wish })) giveUp(unsigned('it is not connected'));
      });
    } finally {
      this.#awaited.delete(deviceId);
    }
  }
}

function silent(): LanyardError {
  return unsigned(`no answer within ${ANSWER_MS / 1000} s: its SDK may be older than 0.2, or its certificate another`);
}

function unsigned(why: string): LanyardError {
  const remedy = 'revoke by the account instead, without --signed-by appliance';
  return new LanyardError('revocation-unsigned', { message: `the appliance did not sign: ${why}; ${remedy}` });
}
