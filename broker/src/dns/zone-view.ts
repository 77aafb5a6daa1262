/** A zone as it stands at one moment, read bit by bit while changes go on: what a zone transfer sends. */
import type { ServedZone } from './served-zone.ts';
import type { RecordSet, SoaSet } from './zone.ts';

/**
 * A copy of a million names would keep queries waiting for a quarter of a second. So nothing is copied but what is
 * about to change and has not been read yet.
 */
export class ZoneView {
  readonly soa: SoaSet;
  readonly #zone: ServedZone;
  /** Names that were born later are not part of it. */
  readonly #end: number;
  /** Nodes are read in the order of their birth; those born before have been read. */
  #next = 0;
  /** What names that have not been read yet held at that moment. */
  readonly #kept = new Map<string, readonly RecordSet[]>();

  constructor(zone: ServedZone) {
    this.#zone = zone;
    this.#end = zone.births;
    this.soa = soaOf(zone);
  }

  /** To be called before anything changes at `name`. */
  keep(name: string): void {
    const node = this.#zone.nodes.get(name);
    if (node === undefined || node.born < this.#next || node.born >= this.#end || this.#kept.has(name)) return;
    this.#kept.set(name, node.sets);
  }

  /** Everything but the SOA. */
  *sets(): Generator<RecordSet> {
    for (const [name, node] of this.#zone.nodes) {
      if (node.born >= this.#end) break;
      const sets = this.#kept.get(name) ?? node.sets;
      this.#kept.delete(name);
      this.#next = node.born + 1;
      yield* withoutSoa(sets);
    }
    this.#next = this.#end;
    // Names that have been taken away meanwhile, and perhaps put up again.
    for (const sets of this.#kept.values()) yield* withoutSoa(sets);
    this.#kept.clear();
  }
}

export function soaOf(zone: ServedZone): SoaSet {
  const soa = zone.nodes.get(zone.apex)?.sets.find((set) => set.kind === 'soa');
  if (soa === undefined) throw new Error(`zone ${zone.apex} has no SOA`);
  return soa;
}

function* withoutSoa(sets: readonly RecordSet[]): Generator<RecordSet> {
  for (const set of sets) if (set.kind !== 'soa') yield set;
}
