/** Whom an event of a scenario happens to, by the dice of the run. */
import type { Random } from '@lanyard/sdk/kernel';
import type { Where } from '../../scenarios/scenario.ts';
import type { Lan } from '../../world/lan.ts';
import type { Box } from './box.ts';

export class Picker {
  readonly #boxes: readonly Box[];
  readonly #lans: readonly Lan[];
  readonly #random: Random;

  constructor({ boxes, random }: { readonly boxes: readonly Box[]; readonly random: Random }) {
    this.#boxes = boxes;
    this.#lans = [...new Set(boxes.map(({ lan }) => lan))];
    this.#random = random;
  }

  boxes(where: Where): readonly Box[] {
    if ('share' in where) {
      return where.share === 1 ? this.#boxes : this.#boxes.filter(() => this.#random.uniform() < where.share);
    }
    if ('appliances' in where) return this.#neighbours(this.#boxes, where.appliances);
    const lans = new Set(this.sites(where));
    return this.#boxes.filter(({ lan }) => lans.has(lan));
  }

  sites(where: Where): readonly Lan[] {
    if ('share' in where) return this.#lans.filter(() => where.share === 1 || this.#random.uniform() < where.share);
    if ('sites' in where) return this.#neighbours(this.#lans, where.sites);
    return [...new Set(this.boxes(where).map(({ lan }) => lan))];
  }

  /** A run of them from anywhere, as of one street. */
  #neighbours<T>(all: readonly T[], count: number): readonly T[] {
    const first = Math.floor(this.#random.uniform() * all.length);
    return Array.from({ length: Math.min(count, all.length) }, (_, index) => all[(first + index) % all.length]).filter(
      (one) => one !== undefined,
    );
  }
}
