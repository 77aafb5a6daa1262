/** Things with an id and an end, kept in bounded number and forgotten some time after their end. */
import { Problem } from './problems.ts';

export interface Expiring {
  readonly id: string;
  readonly expiresAtMs: number;
}

export interface ExpiringStoreOptions<T> {
  readonly limit: number;
  /** Told of each item that is forgotten, to clean up an index. */
  readonly onForgotten?: (item: T) => void;
}

export class ExpiringStore<T extends Expiring> {
  readonly #items = new Map<string, T>();
  readonly #limit: number;
  readonly #onForgotten: ((item: T) => void) | undefined;
  /** Kept from call to call: a fresh iterator walks over every hole that deleting at the head has left. */
  #queue = this.#items.values();
  #headId: string | undefined;

  constructor(options: ExpiringStoreOptions<T>) {
    this.#limit = options.limit;
    this.#onForgotten = options.onForgotten;
  }

  get size(): number {
    return this.#items.size;
  }

  get(id: string): T | undefined {
    return this.#items.get(id);
  }

  /** In the order in which they were added, those that ended and are not forgotten yet among them. */
  items(): Iterable<T> {
    return this.#items.values();
  }

  /** @throws Problem when there are too many that have not ended yet. */
  add(item: T, nowMs: number): void {
    this.#forgetExpired(nowMs);
    if (this.#items.size >= this.#limit) {
      throw new Problem('serverInternal', 'Service busy; retry later.', { status: 503, retryAfterSeconds: 60 });
    }
    this.#items.set(item.id, item);
  }

  /** Replaces an item that is already kept; one that was forgotten meanwhile stays so. */
  update(item: T): void {
    const before = this.#items.get(item.id);
    if (before === undefined) return;
    // To the tail when it ends later now: the head should be what ends first.
    if (before.expiresAtMs !== item.expiresAtMs) this.#items.delete(item.id);
    this.#items.set(item.id, item);
    if (before.expiresAtMs !== item.expiresAtMs && this.#headId === item.id) this.#headId = undefined;
  }

  /**
   * Only the head is looked at, so that adding stays cheap with millions kept. Items of longer life may hide ended
   * ones for a while: the limit holds all the same.
   */
  #forgetExpired(nowMs: number): void {
    for (let head = this.#head(); head !== undefined && head.expiresAtMs <= nowMs; head = this.#head()) {
      this.#items.delete(head.id);
      this.#onForgotten?.(head);
    }
  }

  #head(): T | undefined {
    const known = this.#items.get(this.#headId ?? '');
    if (known !== undefined) return known;
    let next = this.#queue.next();
    if (next.done === true) {
      this.#queue = this.#items.values();
      next = this.#queue.next();
    }
    if (next.done === true) return undefined;
    this.#headId = next.value.id;
    return next.value;
  }
}
