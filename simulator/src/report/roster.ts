/** What has to be remembered of each appliance, in a few bytes: there can be a million. */

/** Bits, so that all of them fit into one byte. */
export const MARK = { on: 1, connected: 2, certified: 4, expired: 8, onceCertified: 16 } as const;
type Mark = (typeof MARK)[keyof typeof MARK];

export class Roster {
  #marks: Uint8Array;
  #writtenBytes: Float64Array;
  /** When it was first heard of. */
  #bornMs: Float64Array;

  constructor(appliances: number) {
    this.#marks = new Uint8Array(appliances);
    this.#writtenBytes = new Float64Array(appliances);
    this.#bornMs = new Float64Array(appliances).fill(Number.NaN);
  }

  /** @returns whether that changed anything: +1 or -1 for a count of those with the mark, or 0. */
  mark(appliance: number, mark: Mark, isSo: boolean): -1 | 0 | 1 {
    if (appliance >= this.#marks.length) this.#grow(appliance);
    const marks = this.#marks[appliance] ?? 0;
    if (((marks & mark) !== 0) === isSo) return 0;
    this.#marks[appliance] = marks ^ mark;
    return isSo ? 1 : -1;
  }

  has(appliance: number, mark: Mark): boolean {
    return ((this.#marks[appliance] ?? 0) & mark) !== 0;
  }

  wrote(appliance: number, bytes: number, atMs: number): void {
    this.appears(appliance, atMs);
    this.#writtenBytes[appliance] = (this.#writtenBytes[appliance] ?? 0) + bytes;
  }

  appears(appliance: number, atMs: number): void {
    if (appliance >= this.#marks.length) this.#grow(appliance);
    if (Number.isNaN(this.#bornMs[appliance])) this.#bornMs[appliance] = atMs;
  }

  /** What each of those that appeared has written, and since when it is there. */
  *writers(): Generator<{ readonly writtenBytes: number; readonly bornMs: number }> {
    for (const [appliance, bornMs] of this.#bornMs.entries()) {
      if (!Number.isNaN(bornMs)) yield { writtenBytes: this.#writtenBytes[appliance] ?? 0, bornMs };
    }
  }

  /** Clones come with numbers of their own, after those that were announced. */
  #grow(appliance: number): void {
    const size = Math.max(appliance + 1, this.#marks.length * 2, 64);
    const marks = new Uint8Array(size);
    const writtenBytes = new Float64Array(size);
    const bornMs = new Float64Array(size).fill(Number.NaN);
    marks.set(this.#marks);
    writtenBytes.set(this.#writtenBytes);
    bornMs.set(this.#bornMs);
    this.#marks = marks;
    this.#writtenBytes = writtenBytes;
    this.#bornMs = bornMs;
  }
}
