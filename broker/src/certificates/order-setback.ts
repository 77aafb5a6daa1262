/** What an order does after a failure: the same once more, all anew after a pause, or the same at another CA. Pure. */
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { AuthorityProblem } from './authority.ts';
import { challengesOf } from './order.ts';
import type {
  Aftermath,
  Avoided,
  Detours,
  Order,
  OrderChallenge,
  OrderEvent,
  OrderFailure,
  OrderState,
  Pace,
} from './order.ts';

/** Let's Encrypt's advice to integrators: after 1, 10 and 100 minutes, then daily. */
const PAUSES_AFTER_FAILURE_MS = [60_000, 600_000, 6_000_000, 86_400_000] as const;
const DAY_MS = 86_400_000;

/** A passing failure repeats the act after 5 s, doubling up to 30 min: an outage of the CA is not hammered. */
const FIRST_REPEAT_MS = 5_000;
const LONGEST_REPEAT_MS = 1_800_000;

/** No bucket of Let's Encrypt refills slower than in 7 days: a CA that asks for more would stop the order for good. */
const LONGEST_ASKED_PAUSE_MS = 7 * DAY_MS;

/** Of one order, however often it was begun: then its CA is given a rest, where there is another. */
const FAILURES_TO_GO_ELSEWHERE = 2;

/** Of one act that does not reach the CA, where there is another: after some 15 minutes, as pauses grow. */
const TRIES_TO_GO_ELSEWHERE = 8;
const REST_FROM_A_BROKEN_CA_MS = 3_600_000;

/** After this many passing failures or polls of one act the order at the CA is given up for a new one. */
export const MOST_TRIES = 100;

export function afterFailure(
  order: Order,
  event: Extract<OrderEvent, { kind: 'failed' }>,
  nowMs: number,
  jitter: number,
): Order {
  const { state } = order;
  if (state.kind === 'waiting' || state.kind === 'issued') return order;
  const failure: OrderFailure = { code: event.code, message: event.message, atMs: nowMs };
  if (state.kind === 'ordering') {
    // Nothing was ordered. When it may be, the budget knows, which hears of the refusal in the same transaction.
    const again = { kind: 'waiting', notBeforeMs: nowMs, tries: 0 } as const;
    if (event.code === 'authority-rate-limited') return unplaced({ ...order, lastFailure: failure }, again);
    if (event.code === 'authority-replacement-refused') return unplaced(order, { ...again, isPlain: true });
  }
  // Clearing is our own DNS: it is repeated until it is done, or a record would stay behind.
  const canRepeat = state.kind === 'clearing' || (isPassing(event.code) && state.tries + 1 < MOST_TRIES);
  if (!canRepeat) return startOver(order, failure, event, nowMs);
  if (isTriedEnough(order, event)) return goElsewhere(order, failure, nowMs);
  const backoffMs = Math.min(FIRST_REPEAT_MS * 2 ** Math.min(state.tries, 30), LONGEST_REPEAT_MS);
  // Half to whole of the bound: a minimum pause is kept even when the dice are unkind.
  const pauseMs = Math.max(askedPause(event.retryAfterMs), Math.floor(backoffMs * (0.5 + jitter / 2)));
  return { ...order, lastFailure: failure, state: { ...state, notBeforeMs: nowMs + pauseMs, tries: state.tries + 1 } };
}

/** Not the order's failure: there is no pause. */
export function afterLeaving(order: Order, message: string, nowMs: number): Order {
  const { state } = order;
  if (state.kind === 'waiting' || state.kind === 'clearing' || state.kind === 'issued') return order;
  const left = { ...order, lastFailure: { code: 'authority-unreachable', message, atMs: nowMs } } as const;
  const now: Pace = { notBeforeMs: nowMs, tries: 0 };
  if (state.kind === 'ordering') return unplaced(left, { kind: 'waiting', ...now });
  return unplaced(left, clearing(state.challenges, { kind: 'again', notBeforeMs: nowMs }, now));
}

/** What the CA asks to wait, within bounds. */
export function askedPause(retryAfterMs = 0): number {
  return Math.min(retryAfterMs, LONGEST_ASKED_PAUSE_MS);
}

/** Failures that say nothing about the order itself, so that the same act is worth repeating. */
function isPassing(code: ErrorCode): boolean {
  return (
    code === 'authority-unreachable' ||
    code === 'authority-rate-limited' ||
    code === 'dns-serving-failed' ||
    code === 'store-failed' ||
    code === 'stopped'
  );
}

/** The CA said that there will be no certificate. */
export function isRefusal(code: ErrorCode): boolean {
  return code === 'authority-refused' || code === 'authority-rejected-name';
}

export function startOver(
  order: Order,
  failure: OrderFailure,
  { retryAfterMs, hasOther }: Circumstances,
  nowMs: number,
): Order {
  const failures = order.failures + 1;
  const step = PAUSES_AFTER_FAILURE_MS[Math.min(failures, PAUSES_AFTER_FAILURE_MS.length) - 1] ?? DAY_MS;
  // A refusal for good may still be cured by the operator (CAA, terms, account): asked again daily, never in a loop.
  const pauseMs = Math.max(isRefusal(failure.code) ? DAY_MS : step, askedPause(retryAfterMs));
  const untilMs = nowMs + pauseMs;
  // What one CA refuses another may take; a failure that comes once may come anywhere, and is worth a second try.
  const isElsewhere = hasOther === true && (isRefusal(failure.code) || failures >= FAILURES_TO_GO_ELSEWHERE);
  const aftermath: Aftermath = { kind: 'again', notBeforeMs: isElsewhere ? nowMs : untilMs };
  const state = clearing(challengesOf(order), aftermath, { notBeforeMs: nowMs, tries: 0 });
  const avoided = isElsewhere ? order.placement?.authority : undefined;
  const detours: Detours = {
    ...order.detours,
    ...(avoided !== undefined && { avoids: avoiding(order, { authority: avoided, untilMs }, nowMs) }),
    ...(failure.code === 'authority-validation-failed' && { rehearsal: 'due' }),
  };
  const hasDetours = Object.keys(detours).length > 0;
  return unplaced({ ...order, failures, lastFailure: failure, ...(hasDetours && { detours }) }, state);
}

/** Some of what the CA does may be broken while the rest works: then its breaker never opens. */
function isTriedEnough({ state }: Order, { code, hasOther }: Extract<OrderEvent, { kind: 'failed' }>): boolean {
  const isBeforeFinalize = state.kind !== 'finalizing' && state.kind !== 'collecting' && state.kind !== 'clearing';
  const tries = 'tries' in state ? state.tries + 1 : 0;
  return hasOther === true && code === 'authority-unreachable' && isBeforeFinalize && tries >= TRIES_TO_GO_ELSEWHERE;
}

/** Not the order's failure: there is no pause. */
function goElsewhere(order: Order, lastFailure: OrderFailure, nowMs: number): Order {
  const left = afterLeaving(order, lastFailure.message, nowMs);
  if (order.placement === undefined) return left;
  const avoided = { authority: order.placement.authority, untilMs: nowMs + REST_FROM_A_BROKEN_CA_MS };
  return { ...left, lastFailure, detours: { ...order.detours, avoids: avoiding(order, avoided, nowMs) } };
}

type Circumstances = Partial<Pick<Extract<OrderEvent, { kind: 'failed' }>, 'retryAfterMs' | 'hasOther'>>;

function avoiding({ detours }: Order, added: Avoided, nowMs: number): readonly Avoided[] {
  const kept = (detours?.avoids ?? []).filter(
    ({ authority, untilMs }) => authority !== added.authority && untilMs > nowMs,
  );
  return [...kept, added];
}

/** The failure that a problem document of the CA amounts to. */
export function failureOf(
  problem: AuthorityProblem | undefined,
  fallback: string,
): Extract<OrderEvent, { kind: 'failed' }> {
  const type = problem?.type.replace('urn:ietf:params:acme:error:', '');
  const code: ErrorCode =
    type === 'rejectedIdentifier' || type === 'caa' ? 'authority-rejected-name' : 'authority-validation-failed';
  const message = problem ? `${problem.detail} (${problem.type})` : fallback;
  return { kind: 'failed', code, message, retryAfterMs: undefined };
}

/** What was held at the CA for the order is held no longer. */
export function unplaced({ placement: _over, ...order }: Order, state: OrderState): Order {
  return { ...order, state };
}

export function clearing(challenges: readonly OrderChallenge[], aftermath: Aftermath, now: Pace): OrderState {
  return { kind: 'clearing', challenges, aftermath, ...now };
}
