/** What one step of an order does to the budget: with every step stored, its price is stored. Pure. */
import { askedPause, isRefusal } from '../order-setback.ts';
import type { Order, OrderEvent } from '../order.ts';
import type { BucketChange } from './bucket.ts';
import { chargesOfFailedValidation, chargesOfIssue, chargesOfLostOrder, chargesOfRefusal } from './charges.ts';
import type { AuthorityTerms } from './rate-limit.ts';

/** When the CA asks to wait without saying how long. */
const UNSAID_PAUSE_MS = 60_000;

export interface Step {
  /** As it was before its act. */
  readonly order: Order;
  readonly event: OrderEvent;
  /** As it is after it. */
  readonly stepped: Order;
}

export function changesOfStep(
  { order, event, stepped }: Step,
  terms: AuthorityTerms,
  registeredDomains: readonly string[],
  nowMs: number,
): readonly BucketChange[] {
  const { names, placement } = order;
  if (event.kind === 'collected') {
    return placement ? chargesOfIssue(terms, placement, names, registeredDomains, nowMs) : [];
  }
  if (event.kind === 'left') return chargesOfLost(order, terms, nowMs);
  if (event.kind !== 'failed') return isGivenUp(order, stepped) ? chargesOfLost(order, terms, nowMs) : [];
  if (event.limit !== undefined && event.limit !== 'busy') {
    const untilMs = nowMs + askedPause(event.retryAfterMs ?? UNSAID_PAUSE_MS);
    const limit = event.limit === 'unnamed' ? undefined : event.limit;
    return chargesOfRefusal(terms, limit, { names, registeredDomains }, untilMs);
  }
  if (event.code === 'authority-validation-failed') return chargesOfFailedValidation(terms, names, nowMs);
  const isRefused = event.code === 'authority-rate-limited' || event.code === 'authority-replacement-refused';
  // Nothing was ordered.
  if (order.state.kind === 'ordering' && isRefused) return [];
  return isGivenUp(order, stepped) && !isRefusal(event.code) ? chargesOfLost(order, terms, nowMs) : [];
}

function chargesOfLost({ placement }: Order, terms: AuthorityTerms, nowMs: number): readonly BucketChange[] {
  return placement ? chargesOfLostOrder(terms, placement, nowMs) : [];
}

/** The order at the CA is left to itself: it may still become a certificate that nobody collects. */
function isGivenUp(order: Order, stepped: Order): boolean {
  return order.placement !== undefined && stepped.placement === undefined;
}
