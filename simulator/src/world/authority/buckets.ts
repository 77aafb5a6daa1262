/** The buckets of one limit, by key. Those that are full again are forgotten: they are as good as new. */

/** So few that sweeping more often saves nothing. */
const SMALLEST_SWEEP = 1024;

export class Buckets {
  readonly #fullAtMs = new Map<string, number>();
  #sweepAtSize = SMALLEST_SWEEP;

  get size(): number {
    return this.#fullAtMs.size;
  }

  /** 0: full. */
  get(key: string): number {
    // Most runs fail at nothing: an empty map need not hash the key.
    return this.#fullAtMs.size === 0 ? 0 : (this.#fullAtMs.get(key) ?? 0);
  }

  set(key: string, fullAtMs: number, nowMs: number): void {
    if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    else this.#fullAtMs.set(key, fullAtMs);
    if (this.#fullAtMs.size >= this.#sweepAtSize) this.#sweep(nowMs);
  }

  delete(key: string): void {
    this.#fullAtMs.delete(key);
  }

  clear(): void {
    this.#fullAtMs.clear();
  }

  entries(): Iterable<readonly [string, number]> {
    return this.#fullAtMs;
  }

  /** Only when their number has doubled, so that each spend pays for a few of them. */
  #sweep(nowMs: number): void {
    for (const [key, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    this.#sweepAtSize = Math.max(SMALLEST_SWEEP, this.#fullAtMs.size * 2);
  }
}
