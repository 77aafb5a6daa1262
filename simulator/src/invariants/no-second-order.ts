/**
 * P6: what has been certified is neither ordered nor certified again: same key, same names. A stand-in renewal is for the
 * key that its appliance has, and certifies it once more. A certificate that lies at a CA which went away before it could be
 * fetched is not waited for for ever: another CA certifies the key again.
 */
import type { Invariant, InvariantParts } from './invariant.ts';
import { keyNumber } from './key-number.ts';

/** Keys remembered for each appliance, as many as a year with 90-day certificates uses: old images bring old keys back. */
const KEYS = 4;

export function noSecondOrder({ facts, violate }: InvariantParts): Invariant {
  const certified = new Float64Array(facts.appliances * KEYS);
  /** Which CA did. */
  const certifiedBy = new Int8Array(facts.appliances * KEYS);
  const absentees = new Set<number>();
  /** The key of the stand-in renewal under way; 0: there is none. */
  const stoodIn = new Float64Array(facts.appliances);

  /** The CA that certified the key. */
  const certifierOf = (appliance: number, key: number): number | undefined => {
    for (let at = appliance * KEYS; at < (appliance + 1) * KEYS; at++)
      if (certified[at] === key) return certifiedBy[at];
    return undefined;
  };
  const remember = (appliance: number, key: number, ca: number): void => {
    const first = appliance * KEYS;
    for (const list of [certified, certifiedBy]) list.copyWithin(first + 1, first, first + KEYS - 1);
    certified[first] = key;
    certifiedBy[first] = ca;
  };

  return {
    name: 'no-second-order',
    guards: 'P6',
    kinds: ['order-opened', 'authority', 'event'],
    onHappening(happening) {
      const { atMs } = happening;
      if (happening.kind === 'order-opened') {
        const { appliance, order, keyHash, isStandIn = false } = happening;
        const key = keyNumber(keyHash);
        stoodIn[appliance] = isStandIn ? key : 0;
        if (isStandIn || certifierOf(appliance, key) === undefined) return;
        violate({ atMs, appliance, what: `order ${order} is for key ${keyHash}, which has a certificate already` });
      }
      if (happening.kind === 'event' && happening.what === 'authority-outage') absentees.add(happening.ca ?? 0);
      if (happening.kind !== 'authority' || happening.what !== 'certified') return;
      const { appliance, about, ca = 0 } = happening;
      // A certificate that fits nobody is no certificate: the broker has to order again.
      if (appliance === undefined || !facts.certifiesRightly(ca)) return;
      const key = keyNumber(about);
      const former = certifierOf(appliance, key);
      if (former === undefined) return remember(appliance, key, ca);
      const isExpected = stoodIn[appliance] === key || (former !== ca && absentees.has(former));
      stoodIn[appliance] = 0;
      if (isExpected) return;
      violate({ atMs, appliance, what: `the CA certified key ${about} a second time` });
    },
  };
}
