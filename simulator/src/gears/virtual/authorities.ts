/** The CAs of a simulated world, in the order in which they take over from one another, all looking at the same zone. */
import type { VirtualBroker } from '@lanyard/broker/virtual';
import { LanyardError } from '@lanyard/sdk/kernel';
import { seededRandom } from '@lanyard/sdk/testing';
import type { BucketLevel } from '../../report/fact.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import type { Resolver } from '../../world/authority/resolver.ts';
import type { Crypto } from './crypto.ts';
import { packetResolver } from './packet-resolver.ts';
import { VirtualAuthority } from './virtual-authority.ts';
import type { VirtualAuthorityParts } from './virtual-authority.ts';
import { ZoneResolver } from './zone-resolver.ts';

export interface AuthoritiesParts extends Pick<VirtualAuthorityParts, 'clock' | 'applianceOf' | 'tell'> {
  readonly seed: number;
  readonly scenario: Pick<Scenario, 'authority' | 'failover'>;
  readonly crypto: VirtualAuthorityParts['crypto'] & Pick<Crypto, 'lookups'>;
  readonly zone: string;
  readonly nameServer: () => VirtualBroker | undefined;
}

/** One and five others, as Let's Encrypt has had for years (Baseline Requirements §3.2.2.9). */
const PERSPECTIVES = 6;
/** Each CA has dice of its own: what happens at one changes nothing at another. */
const SEEDS_EACH = 100;

export class Authorities {
  readonly first: VirtualAuthority;
  /** Those that take over. */
  readonly others: readonly VirtualAuthority[];
  readonly #parts: AuthoritiesParts;

  constructor(parts: AuthoritiesParts) {
    const { scenario } = parts;
    this.#parts = parts;
    this.first = this.#make(scenario.authority, 0);
    this.others = scenario.failover.map((wishes, index) => this.#make(wishes, index + 1));
  }

  get all(): readonly VirtualAuthority[] {
    return [this.first, ...this.others];
  }

  at(ca: number): VirtualAuthority {
    const found = this.all[ca];
    if (found === undefined) throw new LanyardError('internal', { message: `there is no CA ${ca}` });
    return found;
  }

  /** The roots of what they issue; undefined when nothing real is. */
  get rootsPem(): string | undefined {
    const roots = this.all.flatMap(({ rootPem }) => rootPem ?? []);
    return roots.length === 0 ? undefined : roots.join('\n');
  }

  /** How full their buckets are, for the charts; where there is one CA nobody asks whose. */
  levels(): readonly BucketLevel[] {
    if (this.others.length === 0) return this.first.levels();
    return this.all.flatMap((authority, ca) =>
      authority.levels().map((level) => ({ ...level, name: `CA ${ca}: ${level.name}` })),
    );
  }

  async stop(): Promise<void> {
    for (const { model } of this.all) await model.stop();
  }

  #make(wishes: Scenario['authority'], ca: number): VirtualAuthority {
    const { seed, clock, crypto, applianceOf, tell } = this.#parts;
    const random = seededRandom(seed + 1 + ca * SEEDS_EACH);
    const perspectives = this.#perspectives(wishes, ca);
    return new VirtualAuthority({ ca, wishes, random, perspectives, clock, crypto, applianceOf, tell });
  }

  /** Each vantage point asks for itself, with dice of its own. */
  #perspectives(wishes: Scenario['authority'], ca: number): readonly [Resolver, ...Resolver[]] {
    const { seed, clock, zone, nameServer, crypto } = this.#parts;
    const { lookups } = crypto;
    const { perspectives = lookups === 'zone' ? 1 : PERSPECTIVES } = wishes;
    const look = (index: number): Resolver => {
      if (lookups === 'zone') return new ZoneResolver(nameServer);
      return packetResolver({ clock, random: seededRandom(seed + 5 + index + ca * SEEDS_EACH), zone, nameServer });
    };
    return [look(0), ...Array.from({ length: perspectives - 1 }, (_, index) => look(index + 1))];
  }
}
