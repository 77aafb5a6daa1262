/** P6: when an order is over, no challenge record of it is left in the DNS. */
import type { Invariant, InvariantParts } from './invariant.ts';

export function noChallengeLeft({ facts, violate }: InvariantParts): Invariant {
  const hasOrder = new Uint8Array(facts.appliances);

  function look(atMs: number, appliance: number, when: string): void {
    const name = facts.nameOf(appliance);
    const left = name === undefined ? 0 : facts.challengeRecords(name);
    if (left > 0) violate({ atMs, appliance, what: `${left} TXT at _acme-challenge.${name} ${when}` });
  }

  return {
    name: 'no-challenge-left',
    guards: 'P6',
    kinds: ['order-opened', 'order-closed'],
    onHappening(happening) {
      const { atMs } = happening;
      if (happening.kind === 'order-opened') hasOrder[happening.appliance] = 1;
      if (happening.kind !== 'order-closed') return;
      hasOrder[happening.appliance] = 0;
      look(atMs, happening.appliance, 'after its order was closed');
    },
    atEnd() {
      const nowMs = facts.nowMs();
      for (const [appliance, has] of hasOrder.entries()) if (has === 0) look(nowMs, appliance, 'without any order');
    },
  };
}
