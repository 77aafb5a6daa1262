/** What secondaries are told of a zone: its last changes one by one, or all of it (RFC 1995 §5). */
import type { ServedZone, ZoneChange } from './served-zone.ts';
import { TYPE } from './wire.ts';
import type { DataSet, RecordSet } from './zone.ts';
import { ZoneView } from './zone-view.ts';

/** What led from one serial to the next. */
export interface Delta {
  readonly fromSerial: number;
  readonly toSerial: number;
  readonly removed: readonly DataSet[];
  readonly added: readonly DataSet[];
}

export class ZoneHistory {
  readonly zone: ServedZone;
  readonly #mostChanges: number;
  /** Each begins with the serial that the one before ends with. */
  #deltas: Delta[] = [];
  readonly #views = new Set<ZoneView>();

  constructor(zone: ServedZone, mostChanges: number) {
    this.zone = zone;
    this.#mostChanges = mostChanges;
  }

  /** Applies the change to the zone. @throws what the zone throws. */
  apply(change: ZoneChange): void {
    const touched = touchedBy(change);
    for (const view of this.#views) for (const { owner } of touched) view.keep(owner);
    const before = touched.map(({ owner, type }) => this.#setOf(owner, type));
    const fromSerial = this.zone.serial;
    this.zone.apply(change);
    const after = touched.map(({ owner, type }) => this.#setOf(owner, type));
    const removed = before.flatMap((set, index) => whatIsOnlyIn(set, after[index]));
    const added = after.flatMap((set, index) => whatIsOnlyIn(set, before[index]));
    this.#remember({ fromSerial, toSerial: this.zone.serial, removed, added });
  }

  /** The changes since `serial`, the oldest first; undefined when they are not all known. */
  since(serial: number): readonly Delta[] | undefined {
    if (serial === this.zone.serial) return [];
    const first = this.#deltas.findLastIndex(({ fromSerial }) => fromSerial === serial);
    return first < 0 ? undefined : this.#deltas.slice(first);
  }

  /** The SOA, everything else as it is at the first step, and the SOA again (RFC 5936 §2.2). */
  *whole(): Generator<RecordSet> {
    const view = new ZoneView(this.zone);
    this.#views.add(view);
    try {
      yield view.soa;
      yield* view.sets();
      yield view.soa;
    } finally {
      this.#views.delete(view);
    }
  }

  #remember(delta: Delta): void {
    if (delta.toSerial !== delta.fromSerial) {
      this.#deltas.push(delta);
      // Seldom and many at once, as every cut moves all that stay.
      if (this.#deltas.length > this.#mostChanges * 1.1)
        this.#deltas.splice(0, this.#deltas.length - this.#mostChanges);
    } else if (delta.removed.length + delta.added.length > 0) {
      // Other records under a serial that was out: no difference leads from there to anywhere.
      this.#deltas = [];
    }
  }

  #setOf(owner: string, type: number): DataSet | undefined {
    const set = this.zone.nodes.get(owner)?.sets.find((candidate) => candidate.type === type);
    return set?.kind === 'data' ? set : undefined;
  }
}

/** Each owner and type that the change names, once. */
function touchedBy({ clear, remove, add }: ZoneChange): readonly { readonly owner: string; readonly type: number }[] {
  const cleared = clear.flatMap(({ owner, types }) => types.map((type) => ({ owner, type })));
  const all = [...cleared, ...remove, ...add].map(({ owner, type }) => ({ owner, type: TYPE[type] }));
  return [...new Map(all.map((place) => [`${place.owner} ${place.type}`, place])).values()];
}

function whatIsOnlyIn(set: DataSet | undefined, other: DataSet | undefined): readonly DataSet[] {
  if (set === undefined) return [];
  const data = other === undefined ? set.data : set.data.filter((octets) => !other.data.includes(octets));
  return data.length === 0 ? [] : [{ ...set, data }];
}
