/** A clock that moves only when it is told to. */
import type { Clock, Timer } from '../kernel/clock.ts';
import { TimerHeap } from './timer-heap.ts';

export class VirtualClock implements Clock {
  readonly #pending = new TimerHeap();
  readonly #startMs: number;
  #nowMs: number;
  /** Work under way that takes real time, such as cryptography in other threads: this clock stands still for it. */
  #awaited = 0;
  #whenFree: (() => void) | undefined;

  constructor(startMs = Date.UTC(2026, 10, 22)) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#pending.add(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** When the next timer fires, if there is one. */
  nextTimerMs(): number | undefined {
    return this.#pending.earliestMs();
  }

  /** Lets no time pass until `work` is done. */
  async standStillFor<T>(work: Promise<T>): Promise<T> {
    this.#awaited += 1;
    try {
      return await work;
    } finally {
      this.#awaited -= 1;
      if (this.#awaited === 0) this.#whenFree?.();
    }
  }

  /** Moves time forward by `durationMs`, firing due timers in order and letting promises settle between them. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await this.#settle();
    for (let dueMs = this.#pending.earliestMs(); dueMs !== undefined && dueMs <= untilMs;) {
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      await this.#fireAllDue();
      dueMs = this.#pending.earliestMs();
    }
    this.#nowMs = untilMs;
  }

  /**
   * Everything that is due at this instant. Node empties the queue of promises after each immediate, so each timer
   * still finds what those before it have settled, for the price of one turn of the event loop for all of them.
   */
  async #fireAllDue(): Promise<void> {
    for (const timer of this.#pending.takeDue(this.#nowMs)) setImmediate(() => timer.fire());
    await this.#settle();
  }

  /** Lets already resolved promises and I/O callbacks run, and waits for whom time stands still. */
  async #settle(): Promise<void> {
    await immediate();
    while (this.#awaited > 0) {
      await new Promise<void>((resolve) => (this.#whenFree = resolve));
      await immediate();
    }
  }
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
