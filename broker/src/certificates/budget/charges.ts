/** What the steps of an order cost at the CA, as changes of buckets. Pure. */
import type { BucketChange } from './bucket.ts';
import { bucketsOf, pauseOf } from './buckets.ts';
import type { Counted } from './buckets.ts';
import type { Placement } from './placement.ts';
import type { AuthorityTerms, LimitName, RateLimit } from './rate-limit.ts';

/** So that the account is free again to the instant. */
const PAUSE: RateLimit = { burst: 1, periodMs: 1 };

/** A certificate was issued: Boulder books every one for its exact set, and those that are no renewals for the domain. */
export function chargesOfIssue(
  terms: AuthorityTerms,
  { kind }: Placement,
  names: readonly string[],
  registeredDomains: readonly string[],
  atMs: number,
): readonly BucketChange[] {
  const counted: Counted = { names, registeredDomains };
  const booked: readonly LimitName[] = kind === 'new' ? ['exact-set', 'registered-domain'] : ['exact-set'];
  return [
    ...booked.flatMap((limit) => spends(terms, limit, counted, atMs)),
    ...refills(terms, 'consecutive-failures', counted),
  ];
}

/** The CA could not verify: each name is counted, as it is not told apart which of them failed. */
export function chargesOfFailedValidation(
  terms: AuthorityTerms,
  names: readonly string[],
  atMs: number,
): readonly BucketChange[] {
  const counted: Counted = { names, registeredDomains: [] };
  const booked: readonly LimitName[] = ['failed-authorizations', 'consecutive-failures'];
  return booked.flatMap((limit) => spends(terms, limit, counted, atMs));
}

/**
 * The CA refused by a limit (429): its word counts for more than our books. A limit that it does not name, or that we
 * keep no books of, stops the whole account.
 */
export function chargesOfRefusal(
  terms: AuthorityTerms,
  limit: LimitName | undefined,
  counted: Counted,
  untilMs: number,
): readonly BucketChange[] {
  const known = limit && terms.limits[limit];
  if (!limit || !known) return [{ kind: 'empty', bucket: pauseOf(terms.id), limit: PAUSE, untilMs }];
  return bucketsOf(terms.id, limit, counted).map((bucket) => ({ kind: 'empty', bucket, limit: known, untilMs }));
}

/** An order is given up without knowing how it ended: the certificate may come to be, so its place is not given away. */
export function chargesOfLostOrder(terms: AuthorityTerms, { holds }: Placement, atMs: number): readonly BucketChange[] {
  const limit = terms.limits['registered-domain'];
  return holds && limit ? [{ kind: 'spend', bucket: holds, limit, atMs }] : [];
}

function spends(terms: AuthorityTerms, name: LimitName, counted: Counted, atMs: number): readonly BucketChange[] {
  const limit = terms.limits[name];
  if (!limit) return [];
  return bucketsOf(terms.id, name, counted).map((bucket) => ({ kind: 'spend', bucket, limit, atMs }));
}

function refills(terms: AuthorityTerms, name: LimitName, counted: Counted): readonly BucketChange[] {
  if (!terms.limits[name]) return [];
  return bucketsOf(terms.id, name, counted).map((bucket) => ({ kind: 'refill', bucket }));
}
