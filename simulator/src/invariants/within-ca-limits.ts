/** P5: the CA is never asked for more than it allows; as long as nothing else goes wrong it never has to say so. */
import type { Invariant, InvariantParts } from './invariant.ts';

/**
 * After these the broker cannot know exactly what the CA has counted: requests whose answer was lost, a death between
 * sending and noting, figures that changed behind its back.
 */
const AT_ONE_CA: ReadonlySet<string> = new Set(['authority-outage', 'authority-limits']);
const AT_ALL = 'broker-kill';

export function withinCaLimits({ violate }: Pick<InvariantParts, 'violate'>): Invariant {
  let isFaultFree = true;
  const faulty = new Set<number>();
  return {
    name: 'within-ca-limits',
    guards: 'P5',
    kinds: ['authority', 'event'],
    onHappening(happening) {
      if (happening.kind === 'event' && AT_ONE_CA.has(happening.what)) faulty.add(happening.ca ?? 0);
      if (happening.kind === 'event') isFaultFree &&= happening.what !== AT_ALL;
      if (happening.kind !== 'authority') return;
      const { atMs, appliance, what, about, ca = 0 } = happening;
      if (what === 'overdrawn') violate({ atMs, appliance, what: `more was let through than ${about} allows` });
      if (!isFaultFree || faulty.has(ca)) return;
      if (what === 'limited') violate({ atMs, appliance, what: `refused by ${about} although nothing was wrong` });
      if (what === 'busy') violate({ atMs, appliance, what: `too many requests a second at ${about}` });
    },
  };
}
