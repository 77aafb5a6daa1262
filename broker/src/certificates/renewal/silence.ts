/** Notices that a CA is away, so that an outage costs one question at a time and not one for each certificate. */
import type { Logger } from '@lanyard/sdk/kernel';
import { boundedWaitMs } from './renewal-advice.ts';
import type { RenewalAnswer } from './renewal-advice.ts';

/** One certificate's answer may be lost; five in a row are the CA's fault. */
const MISSES_OF_AN_OUTAGE = 5;
const PAUSE_MS = 5 * 60_000;
/** However long the CA asks to wait: its window in an incident would be seen too late. Let's Encrypt: twice a day. */
const LONGEST_PAUSE_MS = 6 * 3_600_000;
/** Of certificates that were replaced before they were asked about again nobody hears any more. */
const MOST_REMEMBERED = 10_000;

export class Silence {
  readonly #log: Logger;
  /** By fingerprint. */
  readonly #misses = new Map<string, number>();
  #inARow = 0;
  #askedPauseMs = 0;

  constructor({ log }: { readonly log: Logger }) {
    this.#log = log;
  }

  /** The CA is away: it is not worth asking about more than one certificate. */
  get isOutage(): boolean {
    return this.#inARow >= MISSES_OF_AN_OUTAGE;
  }

  /** How long to leave a CA alone that is away. */
  get pauseMs(): number {
    return Math.min(Math.max(PAUSE_MS, boundedWaitMs(this.#askedPauseMs)), LONGEST_PAUSE_MS);
  }

  /** Counts what the CA answered to one question. Tells how many misses in a row that makes for this certificate. */
  count(fingerprint: string, answer: RenewalAnswer): number {
    if (answer.kind === 'temporary') return this.#miss(fingerprint, answer.retryAfterMs);
    if (this.isOutage) this.#log.info({}, 'the CA gives renewal information again');
    this.#inARow = 0;
    this.#misses.delete(fingerprint);
    return 0;
  }

  forget(fingerprint: string): void {
    this.#misses.delete(fingerprint);
  }

  #miss(fingerprint: string, retryAfterMs = 0): number {
    this.#inARow += 1;
    this.#askedPauseMs = retryAfterMs;
    if (this.#inARow === MISSES_OF_AN_OUTAGE) {
      this.#log.warn({ pauseMs: this.pauseMs }, 'the CA gives no renewal information; it is asked now and then');
    }
    const misses = (this.#misses.get(fingerprint) ?? 0) + 1;
    this.#misses.delete(fingerprint);
    this.#misses.set(fingerprint, misses);
    const [oldest] = this.#misses.keys();
    if (this.#misses.size > MOST_REMEMBERED && oldest !== undefined) this.#misses.delete(oldest);
    return misses;
  }
}
