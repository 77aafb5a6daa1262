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
  /** Which CA certified the appliance last: what another one revokes was replaced long ago. */
  const issuedBy = new Int8Array(facts.appliances);
  const announcedAtMs: number[] = [];
  let isFaultFree = true;

  function onRevoked(atMs: number, appliance: number, ca: number): void {
    const announcedMs = announcedAtMs[ca] ?? Infinity;
    const isReplaced = issuedBy[appliance] !== ca || (installedAtMs[appliance] ?? 0) >= announcedMs;
    if (isReplaced || facts.hasTwin(appliance)) return;
    const noticedAtMs = atMs - REPLACING_MS - facts.renewalPollMs(ca) * LONGEST_POLL;
    const sinceMs = facts.inTouchSinceMs(appliance);
    if (announcedMs > noticedAtMs || sinceMs === undefined || sinceMs > atMs - REPLACING_MS) return;
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
        if (happening.what === 'mass-revocation' && happening.phase === 'begins') {
          announcedAtMs[happening.ca ?? 0] = atMs;
        }
      }
      if (happening.kind !== 'authority' || happening.appliance === undefined) return;
      const { appliance, what, ca = 0 } = happening;
      if (what === 'certified') issuedBy[appliance] = ca;
      if (what === 'revoked' && isFaultFree && facts.renewalPollMs(ca) > 0) onRevoked(atMs, appliance, ca);
    },
  };
}
