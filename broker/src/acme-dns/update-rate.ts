/** How often each account may change its texts. */
import type { Clock } from '@lanyard/sdk/kernel';

/** An order needs two, and no CA takes ten orders of one name a minute. Every change is written to disk and served. */
const MOST_A_MINUTE = 20;
const MINUTE_MS = 60_000;

/** Counts by the minute, and forgets everybody with it: its size is bounded by the number of accounts. */
export class UpdateRate {
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Counts one; after how long to come back when it is one too many, 0 when not. */
  takeOrWaitMs(label: string): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sinceMs >= MINUTE_MS) {
      this.#counts.clear();
      this.#sinceMs = nowMs;
    }
    const count = this.#counts.get(label) ?? 0;
    if (count >= MOST_A_MINUTE) return this.#sinceMs + MINUTE_MS - nowMs;
    this.#counts.set(label, count + 1);
    return 0;
  }
}
