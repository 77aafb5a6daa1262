/** Is this machine's clock right, by the clocks of the CAs? */
import { error, ok, skipped, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** What an answer takes, and the second that the header is cut to, are far below. */
const WARNING_MS = 30_000;
/** Windows of renewal information and pauses that the CA asks for are minutes. */
const ERROR_MS = 300_000;

/** @param aheadMs of the clock of each CA. One of them may be wrong itself: the one nearest to us counts. */
export function judgeTime(aheadMs: readonly (number | undefined)[]): Finding {
  const known = aheadMs.filter((ms) => ms !== undefined);
  const [offsetMs] = known.toSorted((one, other) => Math.abs(one) - Math.abs(other));
  if (offsetMs === undefined) return skipped('clock', 'the clock was not compared: no CA said what time it is');
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  if (Math.abs(offsetMs) <= WARNING_MS) return ok('clock', `within ${WARNING_MS / 1_000} s of the CA’s`);
  const fault = {
    what: `The clock is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the CA’s.`,
    why: 'Renewals come at wrong times, and certificates look expired or not valid yet.',
    mend: 'Set the clock by NTP, for instance with systemd-timesyncd or chrony.',
  };
  return Math.abs(offsetMs) > ERROR_MS ? error('clock', fault) : warning('clock', fault);
}
