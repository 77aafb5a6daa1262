/** P4: no certificate ends on an appliance that could have got a new one in time. */
import type { Invariant, InvariantParts } from './invariant.ts';

export function noLiveApplianceExpires({ violate }: Pick<InvariantParts, 'violate'>): Invariant {
  return {
    name: 'no-live-appliance-expires',
    guards: 'P4',
    kinds: ['expired'],
    onHappening(happening) {
      if (happening.kind !== 'expired' || happening.excuse !== undefined) return;
      const { atMs, appliance } = happening;
      violate({ atMs, appliance, what: 'its certificate ended, although nothing stood in the way of a new one' });
    },
  };
}
