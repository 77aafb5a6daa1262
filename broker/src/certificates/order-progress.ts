/** The order machine: what an event makes of an order. Pure. */
import type { Authorization, AuthorityOrder } from './authority.ts';
import type { Placement } from './budget/placement.ts';
import { MOST_TRIES, afterFailure, afterLeaving, clearing, failureOf, startOver, unplaced } from './order-setback.ts';
import type { Aftermath, AtCa, Order, OrderChallenge, OrderEvent, OrderState, Pace } from './order.ts';

/** How soon to ask again when the CA does not say, doubling each time; what it says is kept within the bounds. */
const FIRST_POLL_MS = 200;
const LONGEST_OWN_POLL_MS = 5_000;
/** A CA that takes long is asked less and less often, whatever it asks for: it is given some six hours in all. */
const PATIENCE = [
  { fromTries: 30, pauseMs: 60_000 },
  { fromTries: 70, pauseMs: 600_000 },
] as const;
const SHORTEST_POLL_MS = 100;
const LONGEST_POLL_MS = 60_000;

/**
 * What the order is after `event`.
 * @param jitter a number in [0, 1) that spreads repeated acts.
 * @returns the same order when the event does not belong to its state.
 */
export function next(order: Order, event: OrderEvent, nowMs: number, jitter: number): Order {
  if (event.kind === 'failed') return afterFailure(order, event, nowMs, jitter);
  if (event.kind === 'pending') return afterPending(order, event.retryAfterMs, nowMs);
  if (event.kind === 'order-read') return afterReading(order, event, nowMs, jitter);
  if (event.kind === 'placed') return afterPlacing(order, event.placement, nowMs);
  if (event.kind === 'left') return afterLeaving(order, event.message, nowMs);
  if (event.kind === 'collected') return afterCollecting(order, event.fingerprint, nowMs);
  const state = nextState(order.state, event, nowMs);
  return state === order.state ? order : { ...order, state };
}

function nextState(
  state: OrderState,
  event: Exclude<OrderEvent, { kind: 'failed' | 'pending' | 'order-read' | 'placed' | 'left' | 'collected' }>,
  nowMs: number,
): OrderState {
  const now: Pace = { notBeforeMs: nowMs, tries: 0 };
  switch (state.kind) {
    case 'ordering':
      if (event.kind !== 'ordered') return state;
      return { kind: 'authorizing', orderUrl: event.order.url, challenges: [], ...now };
    case 'waiting':
    case 'authorizing':
    case 'proving':
    case 'collecting':
    case 'issued':
      return state;
    case 'publishing':
      return event.kind === 'published' ? { ...state, kind: 'triggering', ...now } : state;
    case 'triggering':
      return event.kind === 'triggered' ? { ...state, kind: 'proving', ...now } : state;
    case 'finalizing':
      // The count goes on, or an order that falls back to ready each time would be finalized for ever.
      return event.kind === 'finalized' ? collecting(state, { notBeforeMs: nowMs, tries: state.tries }) : state;
    case 'clearing':
      return event.kind === 'cleared' ? afterClearing(state.aftermath, nowMs) : state;
  }
}

/** Also once more for the same act, when its answer was lost: the CA may have counted it. */
function afterPlacing(order: Order, placement: Placement, nowMs: number): Order {
  const { state } = order;
  if (state.kind !== 'waiting' && state.kind !== 'ordering') return order;
  const tries = state.kind === 'ordering' ? state.tries : 0;
  return { ...order, placement, state: { kind: 'ordering', notBeforeMs: nowMs, tries } };
}

function afterCollecting(order: Order, fingerprint: string, nowMs: number): Order {
  const { state, placement } = order;
  if (state.kind !== 'collecting') return order;
  const now: Pace = { notBeforeMs: nowMs, tries: 0 };
  if (placement?.isRehearsal === true) {
    const again = clearing(state.challenges, { kind: 'again', notBeforeMs: nowMs }, now);
    return unplaced({ ...order, detours: { ...order.detours, rehearsal: 'passed' } }, again);
  }
  return unplaced(order, clearing(state.challenges, { kind: 'issued', fingerprint }, now));
}

/** The CA's view of the order decides how far it is: also the way to resume after a crash. */
function afterReading(
  order: Order,
  { order: read, authorizations }: Extract<OrderEvent, { kind: 'order-read' }>,
  nowMs: number,
  jitter: number,
): Order {
  const { state } = order;
  if (state.kind !== 'authorizing' && state.kind !== 'proving' && state.kind !== 'collecting') return order;
  if (read.status === 'invalid') {
    const failure = failureOf(read.problem, 'the CA declared the order invalid without saying why');
    return afterFailure(order, failure, nowMs, jitter);
  }
  if (state.kind === 'collecting') {
    return read.status === 'ready' ? finalizeAgain(order, read, nowMs) : afterPending(order, read.retryAfterMs, nowMs);
  }
  const now: Pace = { notBeforeMs: nowMs, tries: 0 };
  const { orderUrl, challenges } = state;
  if (read.status === 'processing' || read.status === 'valid') return { ...order, state: collecting(state, now) };
  if (read.status === 'ready') {
    const { finalizeUrl } = read;
    return { ...order, state: { kind: 'finalizing', orderUrl, challenges, finalizeUrl, ...now } };
  }
  if (state.kind === 'proving') return afterPending(order, read.retryAfterMs, nowMs);
  const toProve = authorizations.flatMap((authorization) => challengeOf(authorization) ?? []);
  return { ...order, state: { kind: 'publishing', orderUrl, challenges: toProve, ...now } };
}

/** The finalize was lost on its way, or in a crash before it left. Paced and counted like a poll. */
function finalizeAgain(order: Order, { finalizeUrl, retryAfterMs }: AuthorityOrder, nowMs: number): Order {
  const paced = afterPending(order, retryAfterMs, nowMs);
  if (paced.state.kind !== 'collecting') return paced;
  return { ...paced, state: { ...paced.state, kind: 'finalizing', finalizeUrl } };
}

function challengeOf(authorization: Authorization): OrderChallenge | undefined {
  if (authorization.status !== 'pending' || authorization.challenge === undefined) return undefined;
  const { record, url } = authorization.challenge;
  return { ...record, authorizationUrl: authorization.url, challengeUrl: url };
}

function collecting(state: AtCa, now: Pace): OrderState {
  return { kind: 'collecting', orderUrl: state.orderUrl, challenges: state.challenges, ...now };
}

function afterClearing(aftermath: Aftermath, nowMs: number): OrderState {
  if (aftermath.kind === 'issued') return { kind: 'issued', fingerprint: aftermath.fingerprint };
  return { kind: 'waiting', notBeforeMs: Math.max(aftermath.notBeforeMs, nowMs), tries: 0 };
}

function afterPending(order: Order, retryAfterMs: number | undefined, nowMs: number): Order {
  const { state } = order;
  if (state.kind !== 'proving' && state.kind !== 'collecting') return order;
  if (state.tries + 1 >= MOST_TRIES) {
    const message = 'the CA did not decide in time';
    return startOver(order, { code: 'authority-protocol', message, atMs: nowMs }, {}, nowMs);
  }
  const ownPauseMs = Math.min(FIRST_POLL_MS * 2 ** Math.min(state.tries, 30), LONGEST_OWN_POLL_MS);
  const askedPauseMs = Math.min(Math.max(retryAfterMs ?? ownPauseMs, SHORTEST_POLL_MS), LONGEST_POLL_MS);
  // An order that is given up while the CA still works at it becomes a certificate that nobody collects.
  const patientMs = PATIENCE.findLast(({ fromTries }) => state.tries >= fromTries)?.pauseMs ?? 0;
  const pauseMs = Math.max(askedPauseMs, patientMs);
  return { ...order, state: { ...state, notBeforeMs: nowMs + pauseMs, tries: state.tries + 1 } };
}
