/** A clock that moves only when it is told to. */
import type { Clock, Timer } from '../kernel/clock.ts';

interface PendingTimer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  readonly #pending = new Set<PendingTimer>();
  readonly #startMs: number;
  #nowMs: number;
  #sequence = 0;

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
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** When the next timer fires, if there is one. */
  nextTimerMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  /** Moves time forward by `durationMs`, firing due timers in order and letting promises settle between them. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (let timer = this.#earliest(); timer !== undefined && timer.dueMs <= untilMs; timer = this.#earliest()) {
      this.#pending.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #earliest(): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#pending) {
      const isEarlier =
        earliest === undefined ||
        timer.dueMs < earliest.dueMs ||
        (timer.dueMs === earliest.dueMs && timer.sequence < earliest.sequence);
      if (isEarlier) earliest = timer;
    }
    return earliest;
  }
}

/** Lets already resolved promises and I/O callbacks run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
