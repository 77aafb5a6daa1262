/** The CA behind its doors: every rule once, wired together, with the controls that change it while it runs. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import { Accounts } from './accounts.ts';
import type { AuthorityControls } from './authority-controls.ts';
import type { AuthorityEvent } from './authority-event.ts';
import { Authorizations } from './authorizations.ts';
import { Background } from './background.ts';
import type { CertificateMaker } from './certificate-maker.ts';
import { Certificates } from './certificates.ts';
import { Counters } from './counters.ts';
import { Faults, NO_FAULTS } from './faults.ts';
import { Incidents } from './incidents.ts';
import { IssuedSets } from './issued-sets.ts';
import { lastTwoLabels, Limiter } from './limiter.ts';
import { Links } from './links.ts';
import { Ordering } from './ordering.ts';
import { Orders } from './orders.ts';
import { Passage } from './passage.ts';
import { Pausing } from './pausing.ts';
import type { AuthorityPolicy } from './policy.ts';
import { Profiles } from './profiles.ts';
import { Proving } from './proving.ts';
import { NO_LIMITS, type RateLimits } from './rate-limits.ts';
import { Renewing } from './renewing.ts';
import { RequestCeilings } from './request-ceilings.ts';
import type { Resolver } from './resolver.ts';
import { Revoking } from './revoking.ts';
import { Validator } from './validation.ts';

export interface RulesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly maker: CertificateMaker;
  /** The primary vantage point first. */
  readonly perspectives: readonly [Resolver, ...Resolver[]];
  /** Where clients reach the door, without a slash at the end. */
  readonly baseUrl: string;
  /** None when left out. */
  readonly limits?: RateLimits | undefined;
  /** Which domain a name counts for; its last two labels when left out. */
  readonly registeredDomain?: ((name: string) => string) | undefined;
  /** Told at once; must not throw. */
  readonly onEvent?: ((event: AuthorityEvent) => void) | undefined;
  /** How much is kept that has not ended yet; beyond it the CA is busy. */
  readonly capacity?: Capacity | undefined;
}

export interface Capacity {
  readonly orders?: number;
  readonly authorizations?: number;
  readonly certificates?: number;
}

export type Rules = ReturnType<typeof createRules>;

export function createRules(options: RulesOptions) {
  const { clock, random, log, policy, capacity = {}, limits = NO_LIMITS, maker } = options;
  const tell = options.onEvent ?? (() => undefined);
  const registeredDomain = options.registeredDomain ?? lastTwoLabels;
  const links = new Links(options.baseUrl);
  const counters = new Counters();
  const ground = { clock, random, log, policy, limits, registeredDomain, links, counters, maker, tell };
  const stores = {
    accounts: new Accounts(),
    authorizations: new Authorizations({ random, policy, limit: capacity.authorizations }),
    certificates: new Certificates(capacity.certificates),
    issuedSets: new IssuedSets(),
    orders: new Orders({ random, limit: capacity.orders }),
  };
  const gates = {
    profiles: new Profiles(ground),
    limiter: new Limiter(ground),
    ceilings: new RequestCeilings(ground),
    pausing: new Pausing({ unpauseUrl: links.unpause, tell }),
    faults: new Faults(ground),
    background: new Background(ground),
    validator: new Validator({ perspectives: options.perspectives, caaIdentity: policy.caaIdentity }),
  };
  const revoking = new Revoking({ ...ground, ...stores });
  const onRevoked = revoking.tell.bind(revoking);
  const incidents = new Incidents({ clock, certificates: stores.certificates, onRevoked });
  const renewing = new Renewing({ ...ground, ...stores, incidents });
  const all = { ...ground, ...stores, ...gates, incidents, renewing, revoking };
  return { ...all, ordering: new Ordering(all), proving: new Proving(all), passage: new Passage(all) };
}

export function createControls(rules: Rules, initial: RateLimits = NO_LIMITS): AuthorityControls {
  const { ceilings, faults, incidents, limiter, pausing, profiles } = rules;
  let limits = initial;
  return {
    get faults() {
      return faults.settings;
    },
    get limits() {
      return limits;
    },
    setFaults: (change) => void (faults.settings = { ...faults.settings, ...change }),
    clearFaults: () => void (faults.settings = NO_FAULTS),
    setLimits(wanted) {
      limits = { limits: wanted.limits ?? limits.limits, ceilings: wanted.ceilings ?? limits.ceilings };
      limiter.change(limits.limits);
      ceilings.change(limits.ceilings);
    },
    changeProfile: (change) => profiles.schedule(change),
    announceRevocation: (notice) => incidents.announce(notice),
    unpause: (accountId) => pausing.unpause(accountId),
  };
}

/** Abandons what is under way, and resolves when nothing runs any more. */
export async function stopRules(rules: Rules): Promise<void> {
  rules.faults.stop();
  rules.incidents.stop();
  await rules.background.stop();
}
