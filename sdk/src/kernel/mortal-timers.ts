/** Timers that all die at one instant: with a process that is killed, or with the power of a board. */
import type { Clock, Timer } from './clock.ts';

export class MortalTimers {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(clock: Pick<Clock, 'setTimer'>) {
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** As `Clock.setTimer`; after the end nothing is ever called back. */
  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#isOver) return NEVER;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** Everything that waits is forgotten. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

const NEVER: Timer = { cancel: () => {} };
