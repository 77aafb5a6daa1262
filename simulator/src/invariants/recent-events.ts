/** What happened lately, for the one reader who has to find out why something broke. */
import { lineOf } from '../gears/event-hash.ts';
import type { Happening } from '../world/happening.ts';

/** Some 20 MB. Of ten thousand appliances that renew at leisure it is a month, of a million the last hour. */
const CAPACITY = 200_000;

export class RecentEvents {
  readonly #ring: Happening[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor({ capacity = CAPACITY } = {}) {
    this.#capacity = capacity;
  }

  add(happening: Happening): void {
    this.#ring[this.#next] = happening;
    this.#next = this.#next + 1 === this.#capacity ? 0 : this.#next + 1;
  }

  /** The last `count` lines about the appliance or about everybody, the latest last; made only now. */
  about(appliance: number | undefined, count: number): readonly string[] {
    const lines: string[] = [];
    const { length } = this.#ring;
    for (let back = 1; back <= length && lines.length < count; back++) {
      const happening = this.#ring[(this.#next - back + length) % length];
      if (happening && concerns(happening, appliance)) lines.push(lineOf(happening));
    }
    return lines.toReversed();
  }
}

function concerns(happening: Happening, appliance: number | undefined): boolean {
  if (happening.kind === 'broker' || happening.kind === 'event') return true;
  return happening.appliance === appliance;
}
