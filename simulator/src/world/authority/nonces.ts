/** Replay protection (RFC 8555 §6.5): nonces that serve once, and sometimes not even that. */
import type { Random } from '@lanyard/sdk/kernel';

export interface NoncesOptions {
  readonly random: Random;
  readonly rejectPercent: number;
}

/** Boulder remembers 65,536 (nonce.defaultMaxUsed); whoever hoards older ones learns of badNonce. */
const OUTSTANDING_LIMIT = 65_536;

/** RFC 8555 §6.5 asks for an unguessable value; 128 bits are. */
const NONCE_BYTES = 16;

export class Nonces {
  readonly #random: Random;
  readonly #rejectPercent: number;
  readonly #outstanding = new Set<string>();
  /** In the order of issue, the next place to write being the oldest. */
  readonly #issued: string[] = [];
  #oldestAt = 0;

  constructor(options: NoncesOptions) {
    this.#random = options.random;
    this.#rejectPercent = options.rejectPercent;
  }

  issue(): string {
    const nonce = Buffer.from(this.#random.bytes(NONCE_BYTES)).toString('base64url');
    const oldest = this.#issued[this.#oldestAt];
    if (oldest !== undefined) this.#outstanding.delete(oldest);
    this.#outstanding.add(nonce);
    this.#issued[this.#oldestAt] = nonce;
    this.#oldestAt = (this.#oldestAt + 1) % OUTSTANDING_LIMIT;
    return nonce;
  }

  /** Whether the nonce is ours and unused. It is used afterwards, also when the dice refused it. */
  redeem(nonce: string): boolean {
    if (!this.#outstanding.delete(nonce)) return false;
    return this.#random.uniform() * 100 >= this.#rejectPercent;
  }
}
