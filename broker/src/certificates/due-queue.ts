/** Things that become due, each once, the earliest first: a binary heap, so that a fleet of waiting orders costs nothing. */

interface Entry<T> {
  readonly dueMs: number;
  /** Keeps things that are due at the same instant in the order they came. */
  readonly sequence: number;
  readonly item: T;
}

export class DueQueue<T> {
  readonly #heap: Entry<T>[] = [];
  /** Where each thing is in the heap: what is set again moves, so that nothing outdated piles up. */
  readonly #places = new Map<T, number>();
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Adds `item`, or moves it. */
  set(item: T, dueMs: number): void {
    this.delete(item);
    this.#put(this.#heap.length, { dueMs, sequence: this.#sequence++, item });
    this.#rise(this.#heap.length - 1);
  }

  /** Harmless when it is not there. */
  delete(item: T): void {
    const place = this.#places.get(item);
    const last = this.#heap.at(-1);
    if (place === undefined || last === undefined) return;
    this.#heap.pop();
    this.#places.delete(item);
    if (last.item === item) return;
    this.#put(place, last);
    this.#rise(place);
    this.#sink(place);
  }

  /** When the earliest becomes due; undefined when nothing waits. */
  nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  /** Takes out the earliest if it is due. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.delete(first.item);
    return first.item;
  }

  #put(place: number, entry: Entry<T>): void {
    this.#heap[place] = entry;
    this.#places.set(entry.item, place);
  }

  #rise(start: number): void {
    for (let place = start; place > 0;) {
      const parent = (place - 1) >> 1;
      if (!this.#swapIfEarlier(place, parent)) return;
      place = parent;
    }
  }

  #sink(start: number): void {
    for (let place = start; ;) {
      const left = 2 * place + 1;
      const right = left + 1;
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, place)) return;
      place = child;
    }
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    const below = this.#heap[lower];
    const above = this.#heap[upper];
    if (below === undefined || above === undefined || !this.#isEarlier(lower, upper)) return false;
    this.#put(lower, above);
    this.#put(upper, below);
    return true;
  }

  #isEarlier(one: number, other: number): boolean {
    const a = this.#heap[one];
    const b = this.#heap[other];
    if (a === undefined || b === undefined) return false;
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
  }
}
