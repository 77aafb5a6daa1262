/** A life of the issuer that ends at any act. Only for tests. */
import { never } from './test-life.ts';
import type { Witness } from './test-life.ts';

/** Before the act leaves, or after it was done and before its answer is heard. */
export type Side = 'before' | 'after';

export interface Crash {
  readonly act: number;
  readonly side: Side;
}

/** A process that dies at one of its acts: from then on it does nothing and hears nothing. */
export class Mortal {
  readonly acts: string[] = [];
  readonly #crash: Crash | undefined;
  #isDead = false;

  constructor(crash?: Crash) {
    this.#crash = crash;
  }

  get hasDied(): boolean {
    return this.#isDead;
  }

  /** Killed from outside, at whatever instant. */
  die(): void {
    this.#isDead = true;
  }

  readonly witness: Witness = async (name, act) => {
    if (this.#isDead) return await never();
    this.acts.push(name);
    const isLast = this.acts.length === this.#crash?.act;
    if (isLast && this.#crash?.side === 'before') this.#isDead = true;
    if (this.#isDead) return await never();
    const outcome = await Promise.allSettled([act()]);
    if (isLast) this.#isDead = true;
    if (this.#isDead) return await never();
    if (outcome[0].status === 'rejected') throw outcome[0].reason;
    return outcome[0].value;
  };
}
