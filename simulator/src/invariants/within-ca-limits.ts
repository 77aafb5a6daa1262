/** P5: the CA is never asked for more than it allows; as long as nothing else goes wrong it never has to say so. */
import type { Invariant, InvariantParts } from './invariant.ts';

/**
 * After these the broker cannot know exactly what the CA has counted: requests whose answer was lost, a death between
 * sending and noting, figures that changed behind its back.
 */
const EXCUSES: ReadonlySet<string> = new Set(['authority-outage', 'authority-limits', 'broker-kill']);

export function withinCaLimits({ violate }: Pick<InvariantParts, 'violate'>): Invariant {
  let isFaultFree = true;
  return {
    name: 'within-ca-limits',
    guards: 'P5',
    kinds: ['authority', 'event'],
    onHappening(happening) {
      const { atMs } = happening;
      if (happening.kind === 'event') isFaultFree &&= !EXCUSES.has(happening.what);
      if (happening.kind !== 'authority') return;
      const { appliance, what, about } = happening;
      if (what === 'overdrawn') violate({ atMs, appliance, what: `more was let through than ${about} allows` });
      if (!isFaultFree) return;
      if (what === 'limited') violate({ atMs, appliance, what: `refused by ${about} although nothing was wrong` });
      if (what === 'busy') violate({ atMs, appliance, what: `too many requests a second at ${about}` });
    },
  };
}
