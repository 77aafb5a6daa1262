/** Whom to look at when: deadlines that are set in the order of time, so that the next one is always the first. */

/** What has been taken is thrown away when there is this much of it. */
const GARBAGE = 4_096;

export class DeadlineQueue {
  readonly #appliances: number[] = [];
  readonly #dueMs: number[] = [];
  #head = 0;

  /** @param dueMs not before that of anybody who was pushed earlier. */
  push(appliance: number, dueMs: number): void {
    this.#appliances.push(appliance);
    this.#dueMs.push(dueMs);
  }

  /** Somebody whose time has come; undefined: nobody's has. */
  takeDue(nowMs: number): number | undefined {
    const dueMs = this.#dueMs[this.#head];
    if (dueMs === undefined || dueMs > nowMs) return undefined;
    const appliance = this.#appliances[this.#head];
    this.#head += 1;
    if (this.#head >= GARBAGE && this.#head * 2 >= this.#dueMs.length) this.#tidy();
    return appliance;
  }

  #tidy(): void {
    this.#appliances.splice(0, this.#head);
    this.#dueMs.splice(0, this.#head);
    this.#head = 0;
  }
}
