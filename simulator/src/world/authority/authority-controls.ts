/** What a scenario may do to a CA that runs. */
import type { FaultSettings } from './faults.ts';
import type { Incident, RevocationNotice } from './incidents.ts';
import type { DatedChange } from './policy.ts';
import type { RateLimits } from './rate-limits.ts';

export interface AuthorityControls {
  readonly faults: FaultSettings;
  readonly limits: RateLimits;
  /** Changes those that are named, from the next request on. */
  setFaults(change: Partial<FaultSettings>): void;
  clearFaults(): void;
  /** Other figures from now on; what was spent stays spent. */
  setLimits(limits: Partial<RateLimits>): void;
  /** At once when its time has come already. */
  changeProfile(change: DatedChange): void;
  /** Everything issued so far has to be replaced: ARI says so at once, and it is revoked when the notice is over. */
  announceRevocation(notice: RevocationNotice): Incident;
  /** @returns how many names of the account were paused. */
  unpause(accountId: string): number;
}
