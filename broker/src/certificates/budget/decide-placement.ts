/** Whether the CA may be asked for an order now, and as what: Boulder's rules, kept on our side so that it need not refuse. */
import type { Order } from '../order.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import type { Bucket, BucketChange } from './bucket.ts';
import { bucketsOf, domainBucket, newOrdersBucket, pauseOf } from './buckets.ts';
import type { Placement } from './placement.ts';
import type { PlacementDecision, PlacementFacts, PlacementWish, Short } from './placement-wish.ts';
import type { AuthorityTerms, LimitName, RateLimit } from './rate-limit.ts';
import { freeAtMs } from './token-bucket.ts';

/** The time limit of a call: so much later than it was decided the CA may see the request. */
export const LATEST_ARRIVAL_MS = 120_000;

/** Boulder knows the same names again for 120 days; a day less, as clocks and the time of issue are not the CA's. */
const KNOWN_AGAIN_MS = 119 * 86_400_000;

/** More orders hold a place than the bucket ever has. They make room when they end, and nobody can say when that is. */
const CROWDED_PAUSE_MS = 60_000;

/** Which limits the CA checks at newOrder. */
const CHECKED: Readonly<Record<Placement['kind'], readonly LimitName[]>> = {
  // What the CA has paused stays paused, whatever the order replaces.
  replacement: ['consecutive-failures'],
  renewal: ['exact-set', 'failed-authorizations', 'consecutive-failures'],
  new: ['new-orders', 'registered-domain', 'exact-set', 'failed-authorizations', 'consecutive-failures'],
};

/** At the first CA whose budget has room; if none has, the one that has room first says why. */
export function decideAmong(
  wish: PlacementWish,
  factsAt: (terms: AuthorityTerms) => PlacementFacts,
): PlacementDecision {
  const { terms, others = [] } = wish;
  let soonest = decidePlacement(factsAt(terms), wish);
  for (const other of others) {
    if (soonest.kind === 'place') break;
    const decision = decidePlacement(factsAt(other), { ...wish, terms: other });
    if (decision.kind === 'place' || decision.untilMs < soonest.untilMs) soonest = decision;
  }
  return soonest;
}

export function decidePlacement(facts: PlacementFacts, wish: PlacementWish): PlacementDecision {
  const { terms, nowMs } = wish;
  const pause = pauseOf(terms.id);
  const pausedUntilMs = facts.fullAtMs(pause) ?? nowMs;
  if (pausedUntilMs > nowMs) return { kind: 'short', bucket: pause, untilMs: pausedUntilMs };
  const placement = placementOf(facts.predecessor, wish);
  return shortest(checksOf(placement.kind, facts, wish), facts, nowMs) ?? place(placement, wish);
}

function place(placement: Placement, { terms, nowMs }: PlacementWish): PlacementDecision {
  const limit = terms.limits['new-orders'];
  if (placement.kind !== 'new' || !limit) return { kind: 'place', placement, changes: [] };
  // The CA counts when the request arrives: its bucket would be full later than one that counts now.
  const atMs = nowMs + LATEST_ARRIVAL_MS;
  const spend: BucketChange = { kind: 'spend', bucket: newOrdersBucket(terms.id), limit, atMs };
  return { kind: 'place', placement, changes: [spend] };
}

function placementOf(latest: StoredCertificate | undefined, wish: PlacementWish): Placement {
  const { terms, registeredDomains, nowMs, isRehearsal } = wish;
  // To another account the certificate is a stranger's: `replaces` would be refused (RFC 9773 §5).
  const predecessor = latest?.authority === terms.id ? latest : undefined;
  const replaces = replacesOf(wish, predecessor);
  const kind = terms.renewals === 'counted' ? 'new' : kindOf(predecessor, replaces, nowMs);
  const [domain] = registeredDomains;
  const isHolding = kind === 'new' && domain !== undefined && terms.limits['registered-domain'] !== undefined;
  return {
    authority: terms.id,
    kind,
    ...(isRehearsal === true && { isRehearsal }),
    ...(replaces !== undefined && { replaces }),
    ...(isHolding && { holds: domainBucket(terms.id, domain) }),
  };
}

function replacesOf(
  { order, terms, nowMs }: PlacementWish,
  predecessor: StoredCertificate | undefined,
): string | undefined {
  // Asked again because the answer was lost: the same request, or it would be a second order.
  if (order.state.kind === 'ordering' && order.placement?.authority === terms.id) return order.placement.replaces;
  // There is nothing to replace any more in one that has expired; Boulder refuses it.
  const isOver = predecessor !== undefined && predecessor.notAfterMs <= nowMs;
  return isOver || isPlain(order) ? undefined : predecessor?.renewalId;
}

/** The CA has refused it as a replacement. */
function isPlain({ state }: Order): boolean {
  return state.kind === 'waiting' && state.isPlain === true;
}

function kindOf(
  predecessor: StoredCertificate | undefined,
  replaces: string | undefined,
  nowMs: number,
): Placement['kind'] {
  if (predecessor === undefined) return 'new';
  const { renewalId, window, issuedAtMs } = predecessor;
  // Boulder: start ≤ now < end, when it sees the request. Early or late, it is as if `replaces` were not there.
  const isInWindow = window && window.startMs <= nowMs && nowMs + LATEST_ARRIVAL_MS < window.endMs;
  if (replaces !== undefined && replaces === renewalId && isInWindow) return 'replacement';
  return issuedAtMs > nowMs - KNOWN_AGAIN_MS ? 'renewal' : 'new';
}

interface Check {
  readonly bucket: Bucket;
  readonly limit: RateLimit;
  readonly need: number;
  readonly leaving: number;
}

function checksOf(kind: Placement['kind'], { holders }: PlacementFacts, wish: PlacementWish): readonly Check[] {
  const { order, terms, registeredDomains, leaving } = wish;
  return CHECKED[kind].flatMap((name) => {
    const limit = terms.limits[name];
    if (!limit) return [];
    return bucketsOf(terms.id, name, { names: order.names, registeredDomains }).map((bucket) => ({
      bucket,
      limit,
      // Orders under way will be booked when the CA issues.
      need: name === 'registered-domain' ? holders(bucket) + 1 : 1,
      leaving: name === 'new-orders' ? Math.floor(leaving * limit.burst) : 0,
    }));
  });
}

/** The bucket that is free last, of those that are not free now. */
function shortest(checks: readonly Check[], { fullAtMs }: PlacementFacts, nowMs: number): Short | undefined {
  let last: Short | undefined;
  for (const { bucket, limit, ...demand } of checks) {
    const freeMs = freeAtMs(fullAtMs(bucket), limit, nowMs, demand);
    const untilMs = freeMs === Infinity ? nowMs + CROWDED_PAUSE_MS : freeMs;
    if (untilMs > Math.max(nowMs, last?.untilMs ?? nowMs)) last = { kind: 'short', bucket, untilMs };
  }
  return last;
}
