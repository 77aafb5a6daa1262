/** How much one connection may say: a token bucket. */
import type { Clock } from '@lanyard/sdk/kernel';
import type { Rate } from './settings.ts';

export class PacketRate {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Takes one token; false when there is none. */
  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const refill = ((nowMs - this.#filledMs) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + refill);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
