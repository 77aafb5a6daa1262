/** P2: the CA certifies exactly the name that is bound to the appliance whose order it is, and that appliance's key. */
import type { Invariant, InvariantParts } from './invariant.ts';
import { keyNumber } from './key-number.ts';

export function onlyBoundNames({ facts, violate }: InvariantParts): Invariant {
  const orderedKey = new Float64Array(facts.appliances);
  return {
    name: 'only-bound-names',
    guards: 'P2',
    kinds: ['order-opened', 'authority'],
    onHappening(happening) {
      if (happening.kind === 'order-opened') orderedKey[happening.appliance] = keyNumber(happening.keyHash);
      if (happening.kind !== 'authority' || happening.what !== 'certified') return;
      const { atMs, appliance, about, ca = 0 } = happening;
      const names = facts.lastCertified(ca)?.names ?? [];
      if (appliance === undefined) {
        return violate({ atMs, what: `a certificate was made for ${names.join(', ')}, which is nobody's name` });
      }
      const own = facts.nameOf(appliance);
      if (names.length !== 1 || names[0] !== own) {
        return violate({ atMs, appliance, what: `a certificate was made for ${names.join(', ')} instead of ${own}` });
      }
      if (orderedKey[appliance] === keyNumber(about)) return;
      violate({ atMs, appliance, what: `a certificate for ${own} was made for a key that it has not asked for` });
    },
  };
}
