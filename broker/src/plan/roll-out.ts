/** How long it takes until every appliance has its first certificate. */
import type { AuthorityTerms } from '../certificates/budget/rate-limit.ts';
import { ISSUANCE, paceOfRequests } from './capacity.ts';
import { paceOf, slowest, timeFor, turnsBy } from './pace.ts';
import type { Pace, PaceName } from './pace.ts';

/** What a plan needs to know of a CA. */
export type PlanTerms = Pick<AuthorityTerms, 'limits' | 'renewals' | 'requests'>;

export interface Fleet {
  /** Each with one certificate. */
  readonly appliances: number;
  /** Appliances are spread over them evenly. */
  readonly zones: number;
  /** The zones are on the Public Suffix List: each name below them is a registered domain of its own. */
  readonly isPublicSuffix: boolean;
}

export interface RollOut {
  /** Whatever gives out turns; all of them must. */
  readonly paces: readonly Pace[];
  readonly binding: PaceName;
  readonly durationMs: number;
  readonly milestones: readonly Milestone[];
}

export interface Milestone {
  readonly share: number;
  readonly certificates: number;
  readonly afterMs: number;
}

/** Of `new-orders`, what first issuance may use: the rest is left to renewals, which cannot wait as it can. */
export const FIRST_SHARE = 0.9;

const SHARES = [0.5, 0.9, 1];

/** As if all were switched on at once: nobody gets his certificate before he asks for it. */
export function rollOut(fleet: Fleet, terms: PlanTerms): RollOut {
  const paces = pacesOf(fleet, terms);
  const durationFor = (certificates: number): number =>
    Math.round(Math.max(...paces.map((pace) => timeFor(pace, certificates))));
  return {
    paces,
    binding: slowest(paces, fleet.appliances)?.name ?? 'issuance',
    durationMs: durationFor(fleet.appliances),
    milestones: SHARES.map((share) => {
      const certificates = Math.ceil(fleet.appliances * share);
      return { share, certificates, afterMs: durationFor(certificates) };
    }),
  };
}

/** How many are certified `elapsedMs` after the start. */
export function certifiedBy({ paces }: RollOut, fleet: Fleet, elapsedMs: number): number {
  return Math.min(fleet.appliances, ...paces.map((pace) => turnsBy(pace, elapsedMs)));
}

/** A bucket of one still lets one through: less than that would be never. */
export function burstForFirst(burst: number): number {
  return Math.max(1, Math.floor(burst * FIRST_SHARE));
}

function pacesOf({ appliances, zones, isPublicSuffix }: Fleet, { limits, requests }: PlanTerms): readonly Pace[] {
  const { 'new-orders': newOrders, 'registered-domain': domain } = limits;
  return [
    ...(newOrders ? [{ ...paceOf('new-orders', newOrders, 1), burst: burstForFirst(newOrders.burst) }] : []),
    ...(domain ? [paceOf('registered-domain', domain, isPublicSuffix ? appliances : zones)] : []),
    ...(requests ? [paceOfRequests(requests)] : []),
    ISSUANCE,
  ];
}
