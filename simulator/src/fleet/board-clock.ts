/** The clock on an appliance's board: it runs while there is power, and may believe that it is 1970. */
import { MortalTimers } from '@lanyard/sdk/kernel';
import type { Clock, Timer } from '@lanyard/sdk/kernel';

export class BoardClock implements Clock {
  readonly #clock: Clock;
  readonly #bootedMs: number;
  /** What the wall clock shows at power-on; undefined: the true time, from a battery. */
  readonly #wallMs: number | undefined;
  readonly #timers: MortalTimers;

  /** @param wallMs what the wall clock shows now; the true time when left out. */
  constructor(clock: Clock, wallMs?: number) {
    this.#clock = clock;
    this.#timers = new MortalTimers(clock);
    this.#bootedMs = clock.monotonicMs();
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs === undefined ? this.#clock.nowMs() : this.#wallMs + this.monotonicMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs() - this.#bootedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#timers.setTimer(delayMs, callback);
  }

  /** Everything that waited is forgotten. */
  cutPower(): void {
    this.#timers.end();
  }
}
