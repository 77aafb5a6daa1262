/** Keeps what happens over and over from filling the log: a line once, then again with how often, much later. */
import type { Clock } from '@lanyard/sdk/kernel';

/** Long enough that a broken device is 24 lines a day, short enough to see that it still is. */
const WINDOW_MS = 60 * 60 * 1000;

/** Different things remembered; a scan from more addresses than this is logged a bit more. */
const MAX_KEYS = 2000;

export class Repeats {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { sinceMs: number; suppressed: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether to log now, and how many times it happened unlogged since the last line. */
  note(key: string): { readonly isDue: boolean; readonly unlogged: number } {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#seen.get(key);
    if (known && nowMs - known.sinceMs < WINDOW_MS) {
      known.suppressed += 1;
      return { isDue: false, unlogged: known.suppressed };
    }
    this.#seen.delete(key);
    this.#seen.set(key, { sinceMs: nowMs, suppressed: 0 });
    if (this.#seen.size > MAX_KEYS) this.#forgetOldest();
    return { isDue: true, unlogged: known?.suppressed ?? 0 };
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next();
    if (oldest.done !== true) this.#seen.delete(oldest.value);
  }
}
