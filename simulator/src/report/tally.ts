/** Counts by name, of names that somebody else makes up: as many as fit on a page, and the rest together. */

/** More problem codes, limits or excuses than Lanyard and any CA have; a world that invents more is not to fill memory. */
const MOST_NAMES = 100;
const REST = '(others)';

export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const count = this.#counts.get(name);
    if (count !== undefined) this.#counts.set(name, count + 1);
    else if (this.#counts.size < MOST_NAMES) this.#counts.set(name, 1);
    else this.#counts.set(REST, (this.#counts.get(REST) ?? 0) + 1);
  }

  /** The most frequent first; equally frequent ones by name, so that equal runs read equal. */
  counts(): Readonly<Record<string, number>> {
    const byCount = [...this.#counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return Object.fromEntries(byCount);
  }
}
