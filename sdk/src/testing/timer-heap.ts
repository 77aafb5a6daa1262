/** Pending timers, the earliest first: a binary heap, from which a cancelled timer is gone at once. */
import type { Timer } from '../kernel/clock.ts';

/** Where a timer is that is in no heap any more. */
const NOWHERE = -1;

export class TimerHeap {
  readonly #heap: PendingTimer[] = [];
  #sequence = 0;

  add(dueMs: number, callback: () => void): Timer {
    const timer = new PendingTimer(this, dueMs, this.#sequence++, callback);
    timer.place = this.#heap.length;
    this.#heap.push(timer);
    this.#rise(timer);
    return timer;
  }

  earliestMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  /** Takes out the earliest if it is due by `nowMs`; of one instant the one that was made first. */
  takeDue(nowMs: number): PendingTimer | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.remove(first);
    return first;
  }

  remove(timer: PendingTimer): void {
    const { place } = timer;
    if (place === NOWHERE) return;
    timer.place = NOWHERE;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    last.place = place;
    this.#heap[place] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(timer: PendingTimer): void {
    while (timer.place > 0) {
      const parent = this.#heap[(timer.place - 1) >> 1];
      if (parent === undefined || !isEarlier(timer, parent)) return;
      this.#swap(timer, parent);
    }
  }

  #sink(timer: PendingTimer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1];
      const right = this.#heap[2 * timer.place + 2];
      const child = left !== undefined && right !== undefined && isEarlier(right, left) ? right : left;
      if (child === undefined || !isEarlier(child, timer)) return;
      this.#swap(child, timer);
    }
  }

  #swap(one: PendingTimer, other: PendingTimer): void {
    const place = one.place;
    one.place = other.place;
    other.place = place;
    this.#heap[one.place] = one;
    this.#heap[other.place] = other;
  }
}

export class PendingTimer implements Timer {
  readonly dueMs: number;
  readonly sequence: number;
  /** Index in the heap. */
  place = NOWHERE;
  readonly #heap: TimerHeap;
  /** Gone once the timer has fired or was cancelled, so that what it would have called can be forgotten. */
  #callback: (() => void) | undefined;

  constructor(heap: TimerHeap, dueMs: number, sequence: number, callback: () => void) {
    this.#heap = heap;
    this.dueMs = dueMs;
    this.sequence = sequence;
    this.#callback = callback;
  }

  cancel(): void {
    this.#callback = undefined;
    this.#heap.remove(this);
  }

  /** Harmless once cancelled, also by another timer of the same instant. */
  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }
}

function isEarlier(one: PendingTimer, other: PendingTimer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.sequence < other.sequence);
}
