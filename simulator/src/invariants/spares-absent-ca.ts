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
  let hour = -1;
  let failures = 0;

  return {
    name: 'spares-absent-ca',
    guards: 'P5',
    kinds: ['authority', 'event', 'broker'],
    onHappening(happening) {
      const { atMs, kind } = happening;
      // Another outage begins, or a broker that knows nothing of this one.
      if (kind === 'broker' || (kind === 'event' && happening.what === 'authority-outage')) failures = 0;
      if (kind !== 'authority' || !isFailure(happening.what) || !facts.isAuthorityAway()) return;
      const now = Math.floor(atMs / HOUR_MS);
      if (now !== hour) failures = 0;
      hour = now;
      failures += 1;
      if (failures !== most + 1) return;
      violate({ atMs, what: `${failures} requests within an hour to a CA that is away` });
    },
  };
}

function isFailure(what: AuthorityDeed): boolean {
  return what === 'cut' || what === 'refused';
}
