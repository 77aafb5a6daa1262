/** P4: when a CA announces by renewal information that it is going to revoke, whoever can be reached is replaced before. */
import type { Invariant, InvariantParts } from './invariant.ts';

/** After these a certificate may be late although the broker knew in time. */
const EXCUSES: ReadonlySet<string> = new Set([
  'authority-outage',
  'authority-limits',
  'broker-kill',
  'broker-stop',
  'flash-full',
  'flash-read-only',
]);

/** Boulder asks to be polled after six hours, a fifth more or less. */
const LONGEST_POLL = 1.2;

/** From the poll to the certificate when everybody wants one; a lost message is said again after an hour. */
const REPLACING_MS = 2 * 3_600_000;

export function replacedBeforeRevoked({ facts, violate }: InvariantParts): Invariant {
  const installedAtMs = new Float64Array(facts.appliances).fill(-Infinity);
  let announcedAtMs = Infinity;
  let isFaultFree = true;

  function onRevoked(atMs: number, appliance: number): void {
    if ((installedAtMs[appliance] ?? 0) >= announcedAtMs || facts.hasTwin(appliance)) return;
    const noticedAtMs = atMs - REPLACING_MS - facts.renewalPollMs * LONGEST_POLL;
    const sinceMs = facts.inTouchSinceMs(appliance);
    if (announcedAtMs > noticedAtMs || sinceMs === undefined || sinceMs > atMs - REPLACING_MS) return;
    violate({ atMs, appliance, what: 'its certificate was revoked, which was announced in time to replace it' });
  }

  return {
    name: 'replaced-before-revoked',
    guards: 'P4',
    kinds: ['authority', 'event', 'installed'],
    onHappening(happening) {
      const { atMs } = happening;
      if (happening.kind === 'installed') installedAtMs[happening.appliance] = atMs;
      if (happening.kind === 'event') {
        isFaultFree &&= !EXCUSES.has(happening.what);
        if (happening.what === 'mass-revocation' && happening.phase === 'begins') announcedAtMs = atMs;
      }
      if (happening.kind !== 'authority' || happening.what !== 'revoked' || happening.appliance === undefined) return;
      if (isFaultFree && facts.renewalPollMs > 0) onRevoked(atMs, happening.appliance);
    },
  };
}
