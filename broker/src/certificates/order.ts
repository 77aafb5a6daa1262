/**
 * One certificate's way through the CA, as a pure machine. A state is the act that is about to be done and may have
 * been done already: after a crash the act is simply done again. So it is stored before the act, unless the CA's own
 * view of the order leads back to it (`isReadBack`).
 *
 *   waiting ─placed▶ ordering ─▶ authorizing ─▶ publishing ─▶ triggering ─▶ proving ─▶ finalizing ─▶ collecting
 *      ▲   ▲            │             │  (nothing to prove)───────────────────────────────▶ ▲            │
 *      │  └──failed──┘             └───────────┬──────────────┴─────────────┴────────────┴────failed──┤ issued
 *      │                                       ▼                                                      ▼
 *      └──────────────────────────────── clearing (then try again)                         clearing (then done)
 *                                                                                                     ▼
 * A passing failure (CA away, asked to wait) repeats the same act later; any other one clears      issued
 * the challenge records first and then begins a new order after a longer pause, or at once when another CA can be asked.
 * A CA that is away for long is left on the same way.
 */
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { Authorization, AuthorityOrder, AuthorityProblem } from './authority.ts';
import type { Placement } from './budget/placement.ts';
import type { LimitName } from './budget/rate-limit.ts';
import type { ChallengeRecord } from './challenge-board.ts';

export interface Order {
  readonly id: string;
  readonly deviceId: string;
  /** Exactly the names bound to the appliance when the request was accepted. */
  readonly names: readonly string[];
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  /** DER of the signing request, kept for finalize and for renewals of sleeping appliances. */
  readonly csr: Uint8Array;
  readonly requestedAtMs: number;
  /** How many orders at the CA have failed for this request. */
  readonly failures: number;
  /** What it is for; absent in orders of versions before 0.2. */
  readonly purpose?: OrderPurpose;
  /** Of a stand-in renewal: since when the appliance has been missed; absent: it asked by itself. */
  readonly asleepSinceMs?: number;
  /** How it was placed at the CA; from `ordering` until it begins anew or ends. */
  readonly placement?: Placement;
  /** What went wrong last, for people; absent after nothing went wrong. */
  readonly lastFailure?: OrderFailure;
  /** Where it goes because of what went wrong. */
  readonly detours?: Detours;
  readonly state: OrderState;
}

export interface Detours {
  /** CAs that are not asked for this order again so soon, as long as there is another. */
  readonly avoids?: readonly Avoided[];
  /** Where there is a CA to rehearse at: whether the order has to, after it could not be verified, or has done so. */
  readonly rehearsal?: 'due' | 'passed';
}

export interface Avoided {
  readonly authority: string;
  readonly untilMs: number;
}

/** `expiresAtMs`: of the certificate that the appliance has now. */
export type OrderPurpose =
  | { readonly kind: 'first' }
  | { readonly kind: 'renewal'; readonly expiresAtMs: number }
  /** The CA wants it replaced, or its key is lost: it works, but not for long. */
  | { readonly kind: 'replacement'; readonly expiresAtMs: number }
  /** The former certificate has expired: an appliance that slept, and has waited already. */
  | { readonly kind: 're-enrolment' };

export interface OrderFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly atMs: number;
}

/** A record to be put up, and the challenge that is triggered when it is served. */
export interface OrderChallenge extends ChallengeRecord {
  readonly authorizationUrl: string;
  readonly challengeUrl: string;
}

/** `notBeforeMs` and `tries` belong to the act: when it is due and how often it has failed in passing. */
interface Pace {
  readonly notBeforeMs: number;
  readonly tries: number;
}

interface AtCa extends Pace {
  readonly orderUrl: string;
  /** Every record that may be up; cleared at the end whatever happened. */
  readonly challenges: readonly OrderChallenge[];
}

export type OrderState =
  /** For its turn and the budget; `isPlain`: the CA does not take it as a replacement. */
  | ({ readonly kind: 'waiting'; readonly isPlain?: boolean } & Pace)
  | ({ readonly kind: 'ordering' } & Pace)
  | ({ readonly kind: 'authorizing' } & AtCa)
  | ({ readonly kind: 'publishing' } & AtCa)
  | ({ readonly kind: 'triggering' } & AtCa)
  | ({ readonly kind: 'proving' } & AtCa)
  | ({ readonly kind: 'finalizing'; readonly finalizeUrl: string } & AtCa)
  | ({ readonly kind: 'collecting' } & AtCa)
  | ({
      readonly kind: 'clearing';
      readonly challenges: readonly OrderChallenge[];
      readonly aftermath: Aftermath;
    } & Pace)
  | { readonly kind: 'issued'; readonly fingerprint: string };

/** What follows once the records are gone. */
export type Aftermath =
  | { readonly kind: 'issued'; readonly fingerprint: string }
  | { readonly kind: 'again'; readonly notBeforeMs: number };

export type OrderEvent =
  /** The budget has room, and it is spent. */
  | { readonly kind: 'placed'; readonly placement: Placement }
  | { readonly kind: 'ordered'; readonly order: AuthorityOrder }
  /** How the order and those of its authorizations that are not yet proven stand at the CA. */
  | {
      readonly kind: 'order-read';
      readonly order: AuthorityOrder;
      readonly authorizations: readonly Authorization[];
    }
  | { readonly kind: 'published' }
  | { readonly kind: 'triggered' }
  | { readonly kind: 'finalized'; readonly order: AuthorityOrder }
  /** The CA has not made up its mind yet. */
  | { readonly kind: 'pending'; readonly retryAfterMs: number | undefined }
  /** The certificate is here and fits the request. */
  | { readonly kind: 'collected'; readonly fingerprint: string }
  | { readonly kind: 'cleared' }
  /** The CA is away, and the order is begun anew at another. */
  | { readonly kind: 'left'; readonly message: string }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryAfterMs: number | undefined;
      /** With `authority-rate-limited`: which limit; `busy` when the CA is asked too fast, by whomever. */
      readonly limit?: LimitName | 'unnamed' | 'busy' | undefined;
      /** Another CA may be asked in the place of one that refuses. */
      readonly hasOther?: boolean;
    };

export type OrderEventKind = OrderEvent['kind'];
export type OrderStateKind = OrderState['kind'];

/** Let's Encrypt's advice to integrators: after 1, 10 and 100 minutes, then daily. */
const PAUSES_AFTER_FAILURE_MS = [60_000, 600_000, 6_000_000, 86_400_000] as const;
const DAY_MS = 86_400_000;

/** A passing failure repeats the act after 5 s, doubling up to 30 min: an outage of the CA is not hammered. */
const FIRST_REPEAT_MS = 5_000;
const LONGEST_REPEAT_MS = 1_800_000;

/** No bucket of Let's Encrypt refills slower than in 7 days: a CA that asks for more would stop the order for good. */
const LONGEST_ASKED_PAUSE_MS = 7 * DAY_MS;

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

/** Of one order, however often it was begun: then its CA is given a rest, where there is another. */
const FAILURES_TO_GO_ELSEWHERE = 2;

/** Of one act that does not reach the CA, where there is another: after some 15 minutes, as pauses grow. */
const TRIES_TO_GO_ELSEWHERE = 8;
const REST_FROM_A_BROKEN_CA_MS = 3_600_000;

/** After this many passing failures or polls of one act the order at the CA is given up for a new one. */
const MOST_TRIES = 100;

export function isClosed(order: Order): boolean {
  return order.state.kind === 'issued';
}

/** A crash may lose these: from `publishing`, the last that was stored, the order as the CA shows it leads back here. */
const READ_BACK: ReadonlySet<OrderStateKind> = new Set(['triggering', 'proving', 'finalizing', 'collecting']);

export function isReadBack({ state }: Order): boolean {
  return READ_BACK.has(state.kind);
}

/** The certificate is stored, and only the challenge records are still to go: our own affair, for which nobody waits. */
export function isFulfilled({ state }: Order): boolean {
  return state.kind === 'issued' || (state.kind === 'clearing' && state.aftermath.kind === 'issued');
}

/** Every challenge record that may be up for the order. */
export function challengesOf(order: Order): readonly OrderChallenge[] {
  return 'challenges' in order.state ? order.state.challenges : [];
}

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

/** Not the order's failure: there is no pause. */
function afterLeaving(order: Order, message: string, nowMs: number): Order {
  const { state } = order;
  if (state.kind === 'waiting' || state.kind === 'clearing' || state.kind === 'issued') return order;
  const left = { ...order, lastFailure: { code: 'authority-unreachable', message, atMs: nowMs } } as const;
  const now: Pace = { notBeforeMs: nowMs, tries: 0 };
  if (state.kind === 'ordering') return unplaced(left, { kind: 'waiting', ...now });
  return unplaced(left, clearing(state.challenges, { kind: 'again', notBeforeMs: nowMs }, now));
}

/** What was held at the CA for the order is held no longer. */
function unplaced({ placement: _over, ...order }: Order, state: OrderState): Order {
  return { ...order, state };
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

function clearing(challenges: readonly OrderChallenge[], aftermath: Aftermath, now: Pace): OrderState {
  return { kind: 'clearing', challenges, aftermath, ...now };
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

function afterFailure(
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

function startOver(
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
