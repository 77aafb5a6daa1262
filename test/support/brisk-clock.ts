/** Real time, but faster, or with hours left out: for waiting on programs that know nothing of virtual time. */
import { sleep, systemClock } from '@lanyard/sdk/kernel';
import type { Clock, Timer } from '@lanyard/sdk/kernel';

interface Waiting {
  readonly dueMs: number;
  readonly callback: () => void;
  timer: Timer;
}

/** In which programs act on what has become due, and make it due again. */
const MOMENT_MS = 25;

export class BriskClock implements Clock {
  readonly #pace: number;
  readonly #startMs = systemClock.nowMs();
  readonly #beganMs = systemClock.monotonicMs();
  readonly #waiting = new Set<Waiting>();
  #leaptMs = 0;

  /** @param pace how many seconds pass in one. */
  constructor(pace = 1) {
    this.#pace = pace;
  }

  nowMs(): number {
    return Math.floor(this.#startMs + this.monotonicMs());
  }

  monotonicMs(): number {
    return (systemClock.monotonicMs() - this.#beganMs) * this.#pace + this.#leaptMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const waiting: Waiting = { dueMs: this.monotonicMs() + delayMs, callback, timer: { cancel() {} } };
    this.#waiting.add(waiting);
    this.#arm(waiting);
    return {
      cancel: () => {
        waiting.timer.cancel();
        this.#waiting.delete(waiting);
      },
    };
  }

  /** Leaves out the next `delayMs`; what would have been due in them is due now. */
  leap(delayMs: number): void {
    this.#leaptMs += delayMs;
    for (const waiting of this.#waiting) {
      waiting.timer.cancel();
      this.#arm(waiting);
    }
  }

  /** Leaves time out, `pieceMs` at a time, until `event` has happened. */
  async leapUntil<T>(event: Promise<T>, pieceMs: number): Promise<T> {
    const happened = new AbortController();
    void event.finally(() => happened.abort()).catch(() => {});
    while (!happened.signal.aborted) {
      this.leap(pieceMs);
      await sleep(systemClock, MOMENT_MS, happened.signal).catch(() => {});
    }
    return await event;
  }

  #arm(waiting: Waiting): void {
    const leftMs = Math.max(0, waiting.dueMs - this.monotonicMs());
    waiting.timer = systemClock.setTimer(leftMs / this.#pace, () => {
      this.#waiting.delete(waiting);
      waiting.callback();
    });
  }
}
