/** P6: an appliance never has two orders at once, neither in the broker's books nor at the CA. */
import type { Happening } from '../world/happening.ts';
import type { Invariant, InvariantParts } from './invariant.ts';

/**
 * Boulder hands out the same order again while it is pending or ready, so that a broker that died may ask as often as
 * it likes. No order lapses within its first hour: a proof that ends so soon is not used for a new one.
 */
const LIVES_AT_LEAST_MS = 3_600_000;

export function oneOpenOrder({ facts, violate }: InvariantParts): Invariant {
  const open = new Map<number, string>();
  /** When each CA made the order that it has not decided on; 0: there is none. One that is away is left with its own. */
  const placedAtCa: Float64Array[] = [];

  const placedAt = (ca: number): Float64Array => (placedAtCa[ca] ??= new Float64Array(facts.appliances));

  function onOpened({ atMs, appliance, order }: Extract<Happening, { kind: 'order-opened' }>): void {
    const former = open.get(appliance);
    open.set(appliance, order);
    if (former === undefined || former === order) return;
    violate({ atMs, appliance, what: `order ${order} was opened while ${former} was open` });
  }

  function onAuthority({ atMs, appliance, what, ca = 0 }: Extract<Happening, { kind: 'authority' }>): void {
    if (appliance === undefined) return;
    const placedAtMs = placedAt(ca);
    if (what === 'certified' || what === 'validation-failed') placedAtMs[appliance] = 0;
    if (what !== 'ordered') return;
    const formerMs = placedAtMs[appliance] ?? 0;
    placedAtMs[appliance] = atMs;
    if (formerMs === 0 || atMs - formerMs >= LIVES_AT_LEAST_MS) return;
    const seconds = Math.round((atMs - formerMs) / 1000);
    violate({
      atMs,
      appliance,
      what: `the CA has a second order for it, ${seconds} s after one it has not decided on`,
    });
  }

  return {
    name: 'one-open-order',
    guards: 'P6',
    kinds: ['order-opened', 'order-closed', 'authority', 'event'],
    onHappening(happening) {
      if (happening.kind === 'order-opened') onOpened(happening);
      if (happening.kind === 'order-closed') open.delete(happening.appliance);
      if (happening.kind === 'authority') onAuthority(happening);
      // An order under another profile is another order, and the former one is left to lapse.
      if (happening.kind === 'event' && happening.what === 'profile-change') placedAt(happening.ca ?? 0).fill(0);
    },
  };
}
