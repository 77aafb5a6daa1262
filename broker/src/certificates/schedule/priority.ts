/** How urgent an order is: what would go dark first goes first. */
import type { OrderPurpose } from '../order.ts';
import type { Priority } from './lanes.ts';

/** With less than this left there is time for some tries only: Let's Encrypt's pauses after failures grow to a day. */
const EXPIRING_SOON_MS = 48 * 3_600_000;

/**
 * What each class leaves of the account's new orders to the more urgent ones. A CA may count renewals too, so a town that
 * is being fitted out keeps a tenth free for them; appliances that slept, and may come in thousands, leave the next tenth
 * to a box that somebody is unpacking.
 */
const LEAVING: Readonly<Record<Priority, number>> = {
  'expiring-soon': 0,
  replacement: 0,
  renewal: 0,
  first: 0.1,
  're-enrolment': 0.2,
};

/** @param purpose absent in orders of versions before 0.2, which count as first ones. */
export function priorityOf(purpose: OrderPurpose | undefined, nowMs: number): Priority {
  const urgentAtMs = isUrgentAtMs(purpose);
  if (urgentAtMs !== undefined && urgentAtMs <= nowMs) return 'expiring-soon';
  return purpose?.kind ?? 'first';
}

/** When the order becomes `expiring-soon`; undefined: never. */
export function isUrgentAtMs(purpose: OrderPurpose | undefined): number | undefined {
  if (purpose?.kind !== 'renewal' && purpose?.kind !== 'replacement') return undefined;
  // The first millisecond at which less is left: a timer at this instant finds the order urgent.
  return purpose.expiresAtMs - EXPIRING_SOON_MS + 1;
}

/** Share of the account's new orders, in [0, 1), that orders of this class leave to the more urgent. */
export function leavingOf(priority: Priority): number {
  return LEAVING[priority];
}
