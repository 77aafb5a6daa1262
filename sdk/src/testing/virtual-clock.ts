/** A clock that moves only when it is told to. */
import type { Clock, Timer } from '../kernel/clock.ts';
import { TimerHeap } from './timer-heap.ts';

export interface VirtualClockOptions {
  /**
   * How many timers may fire before callbacks of sockets and files get their turn; promises settle after each in any
   * case. 1 by default. A simulation without real input and output is many times faster with hundreds.
   */
  readonly timersPerTurn?: number;
}

export class VirtualClock implements Clock {
  readonly #pending = new TimerHeap();
  readonly #timersPerTurn: number;
  readonly #startMs: number;
  #nowMs: number;
  /** Work under way that takes real time, such as cryptography in other threads: this clock stands still for it. */
  #awaited = 0;
  #whenFree: (() => void) | undefined;

  constructor(startMs = Date.UTC(2026, 10, 22), { timersPerTurn = 1 }: VirtualClockOptions = {}) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
    this.#timersPerTurn = timersPerTurn;
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
    while ((this.#pending.earliestMs() ?? Infinity) <= untilMs) await this.#turn(untilMs);
    this.#nowMs = untilMs;
  }

  /**
   * One turn of Node's event loop, which costs ten times what a timer here does. Node empties the queue of promises
   * after every immediate, so that each timer finds what those before it have settled.
   */
  async #turn(untilMs: number): Promise<void> {
    for (let timers = 0; timers < this.#timersPerTurn; timers++) setImmediate(() => this.#fireNext(untilMs));
    await this.#settle();
  }

  #fireNext(untilMs: number): void {
    if (this.#awaited > 0) return;
    const timer = this.#pending.takeDue(untilMs);
    if (timer === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.fire();
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
