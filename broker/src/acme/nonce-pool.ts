/** Anti-replay nonces that a CA's answers brought, kept for the next requests (RFC 8555 §6.5). */
import type { Clock } from '@lanyard/sdk/kernel';

/** Enough for every request in flight; what is more will have expired before it is used. */
const MOST_NONCES = 64;
/** CAs forget nonces after minutes to hours, by age or by count; a forgotten one costs a refused request. */
const OLDEST_MS = 5 * 60_000;
/** RFC 8555 §6.5.1: base64url, anything else must be ignored. The longest seen in the wild have some 60 characters. */
const NONCE = /^[A-Za-z0-9_-]{1,256}$/;

export class NoncePool {
  readonly #clock: Clock;
  /** Oldest first. */
  #nonces: { readonly value: string; readonly atMs: number }[] = [];

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#nonces.length;
  }

  put(nonce: string): void {
    if (!isNonce(nonce) || this.#nonces.some(({ value }) => value === nonce)) return;
    if (this.#nonces.length >= MOST_NONCES) this.#nonces.shift();
    this.#nonces.push({ value: nonce, atMs: this.#clock.monotonicMs() });
  }

  /** The newest nonce, which the CA is likeliest to remember. */
  take(): string | undefined {
    const newest = this.#nonces.pop();
    if (newest === undefined) return undefined;
    if (this.#clock.monotonicMs() - newest.atMs <= OLDEST_MS) return newest.value;
    this.#nonces = [];
    return undefined;
  }
}

export function isNonce(text: string): boolean {
  return NONCE.test(text);
}
