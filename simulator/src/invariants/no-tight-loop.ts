/** P5: whatever goes wrong at the CA, it is not asked again and again. */
import type { Happening } from '../world/happening.ts';
import type { Invariant, InvariantParts } from './invariant.ts';

const HOUR_MS = 3_600_000;

/**
 * A request that keeps failing is ordered at once, after 1 and after 10 minutes, and no more in that hour
 * (broker/src/certificates/order.ts). As many again for an appliance that was reset meanwhile and has a new key.
 */
const MOST_ORDERS_AN_HOUR = 6;

/**
 * An act that fails in passing is repeated after 5 s, doubling up to half an hour, at worst in half of that: 11 times in
 * the first hour. Twice that, since an order that is begun anew after a failure starts counting again.
 */
const MOST_REFUSALS_FOR_EACH = 22;
/** What is refused at the opening of the account, and by chance. */
const MOST_REFUSALS_BESIDES = 50;

export function noTightLoop({ facts, violate }: InvariantParts): Invariant {
  const hourOf = new Int32Array(facts.appliances).fill(-1);
  const orders = new Uint8Array(facts.appliances);
  const open = new Set<number>();
  let hour = -1;
  let refusals = 0;
  /** Appliances with an order at some time of this hour. */
  let busy = 0;

  function turnTo(atMs: number): void {
    const now = Math.floor(atMs / HOUR_MS);
    if (now === hour) return;
    hour = now;
    refusals = 0;
    busy = open.size;
  }

  function onOrder(atMs: number, appliance: number): void {
    const isNewHour = hourOf[appliance] !== hour;
    hourOf[appliance] = hour;
    const count = isNewHour ? 1 : (orders[appliance] ?? 0) + 1;
    orders[appliance] = Math.min(count, 255);
    if (count !== MOST_ORDERS_AN_HOUR + 1) return;
    violate({ atMs, appliance, what: `${count} orders at the CA within an hour` });
  }

  function onRefusal(atMs: number): void {
    const most = MOST_REFUSALS_BESIDES + busy * MOST_REFUSALS_FOR_EACH;
    refusals += 1;
    if (refusals !== most + 1) return;
    violate({
      atMs,
      what: `the CA refused ${refusals} requests within an hour, while ${busy} appliances had an order`,
    });
  }

  return {
    name: 'no-tight-loop',
    guards: 'P5',
    kinds: ['order-opened', 'order-closed', 'authority'],
    onHappening(happening: Happening) {
      const { atMs } = happening;
      turnTo(atMs);
      if (happening.kind === 'order-opened' && !open.has(happening.appliance)) {
        open.add(happening.appliance);
        busy += 1;
      }
      if (happening.kind === 'order-closed') open.delete(happening.appliance);
      if (happening.kind !== 'authority') return;
      const { what, appliance } = happening;
      if (what === 'ordered' && appliance !== undefined) onOrder(atMs, appliance);
      if (what === 'refused' || what === 'limited' || what === 'busy') onRefusal(atMs);
    },
  };
}
