/**
 * P6: what has been certified is neither ordered nor certified again: same key, same names. A stand-in renewal is for the
 * key that its appliance has, and certifies it once more.
 */
import type { Invariant, InvariantParts } from './invariant.ts';
import { keyNumber } from './key-number.ts';

/** Keys remembered for each appliance, as many as a year with 90-day certificates uses: old images bring old keys back. */
const KEYS = 4;

export function noSecondOrder({ facts, violate }: InvariantParts): Invariant {
  const certified = new Float64Array(facts.appliances * KEYS);
  /** The key of the stand-in renewal under way; 0: there is none. */
  const stoodIn = new Float64Array(facts.appliances);

  const isCertified = (appliance: number, key: number): boolean => {
    for (let at = appliance * KEYS; at < (appliance + 1) * KEYS; at++) if (certified[at] === key) return true;
    return false;
  };
  const remember = (appliance: number, key: number): void => {
    const first = appliance * KEYS;
    certified.copyWithin(first + 1, first, first + KEYS - 1);
    certified[first] = key;
  };

  return {
    name: 'no-second-order',
    guards: 'P6',
    kinds: ['order-opened', 'authority'],
    onHappening(happening) {
      const { atMs } = happening;
      if (happening.kind === 'order-opened') {
        const { appliance, order, keyHash, isStandIn = false } = happening;
        const key = keyNumber(keyHash);
        stoodIn[appliance] = isStandIn ? key : 0;
        if (isStandIn || !isCertified(appliance, key)) return;
        violate({ atMs, appliance, what: `order ${order} is for key ${keyHash}, which has a certificate already` });
      }
      if (happening.kind !== 'authority' || happening.what !== 'certified') return;
      const { appliance, about } = happening;
      // A certificate that fits nobody is no certificate: the broker has to order again.
      if (appliance === undefined || !facts.certifiesRightly()) return;
      const key = keyNumber(about);
      if (!isCertified(appliance, key)) return remember(appliance, key);
      const isExpected = stoodIn[appliance] === key;
      stoodIn[appliance] = 0;
      if (isExpected) return;
      violate({ atMs, appliance, what: `the CA certified key ${about} a second time` });
    },
  };
}
