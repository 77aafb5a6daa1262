/** P5: a CA that is away is tried by one at a time, less and less often, however many wait for it. */
import type { AuthorityDeed } from '../world/happening.ts';
import type { Invariant, InvariantParts } from './invariant.ts';

const HOUR_MS = 3_600_000;

/**
 * Besides the orders that were under way when it went: nine tries in the first hour
 * (broker/src/certificates/schedule/breaker.ts), of two requests at most; a dozen questions for renewal information
 * under way, and another dozen in the hour (renewal/silence.ts). As many again to spare.
 */
const MOST_BESIDES = 80;

export function sparesAbsentCa({ facts, violate }: InvariantParts): Invariant {
  const most = facts.ordersAtOnce + MOST_BESIDES;
  const hours: number[] = [];
  /** Of each CA within its hour. */
  const failures: number[] = [];

  return {
    name: 'spares-absent-ca',
    guards: 'P5',
    kinds: ['authority', 'event', 'broker'],
    onHappening(happening) {
      const { atMs, kind } = happening;
      // A broker that knows nothing of an outage, or another one begins.
      if (kind === 'broker') failures.fill(0);
      if (kind === 'event' && happening.what === 'authority-outage') failures[happening.ca ?? 0] = 0;
      if (kind !== 'authority' || !isFailure(happening.what)) return;
      const { ca = 0 } = happening;
      if (!facts.isAuthorityAway(ca)) return;
      const now = Math.floor(atMs / HOUR_MS);
      const count = hours[ca] === now ? (failures[ca] ?? 0) + 1 : 1;
      hours[ca] = now;
      failures[ca] = count;
      if (count !== most + 1) return;
      violate({ atMs, what: `${count} requests within an hour to a CA that is away` });
    },
  };
}

function isFailure(what: AuthorityDeed): boolean {
  return what === 'cut' || what === 'refused';
}
