/** What an appliance does about its certificate: one pure machine, run by the keeper. */
import { LanyardError } from '../kernel/errors.ts';
import type { IssuedCertificate } from '../protocol/certificate.ts';
import type { HeldCertificate } from '../protocol/hello.ts';
import type { Problem } from '../protocol/problem.ts';
import type { State as BrokerState, Todo } from '../protocol/state.ts';
import { growing, greeting, lineWakesAtMs } from './line.ts';
import type { Line } from './line.ts';
import { describeProblem, isKeyProblem, problemWaitMs } from './problem-response.ts';

/**
 *         state: request, no usable pending key         key-made               accepted
 *   idle ─────────────────────────────────▶ making-key ──────────▶ requesting ──────────▶ waiting
 *    ▲ │                                        │                   │  ▲  └┘ unanswered:   │  └┘ late: hello again
 *    │ └────── state: request, pending key ─────┼───────────────────┼──┘     csr again     │
 *    │                                          │                   │                      │ issued (in every phase
 *    │ installed                                │ failed            │ problem              │ except making-key)
 *    ├───────────────────────────── installing ◀┼───────────────────┼──────────────────────┘
 *    │                                  │       ▼                   ▼
 *    └──────────────────────────────────┴──▶ blocked ◀── problem ── idle, waiting
 *        time is up: hello again          refused, failed
 *
 * Whatever happened, the way on is the same: hello is said, and the broker's `state` tells what to do. Nothing that
 * arrives makes the held certificate worse: it is replaced only by the event `installed`, which follows a complete
 * verification and a finished write to the vault.
 */
export type Phase =
  | { readonly kind: 'idle' }
  /** A key pair is being made and written to the vault. */
  | { readonly kind: 'making-key' }
  /** The signing request for the pending key was sent and is unanswered. */
  | { readonly kind: 'requesting'; readonly attempt: number; readonly sentAtMs: number }
  /** The broker has the request, or announced a certificate. */
  | { readonly kind: 'waiting'; readonly attempt: number; readonly checkAtMs: number }
  /** A certificate is being verified and written to the vault. */
  | { readonly kind: 'installing' }
  | { readonly kind: 'blocked'; readonly untilMs: number };

export interface State {
  readonly phase: Phase;
  readonly line: Line;
  readonly mode: BrokerState['mode'];
  /** The names the broker assigned; empty until it has. */
  readonly names: readonly string[];
  readonly held: Held | undefined;
  readonly pending: PendingKey | undefined;
  /** How often something went wrong since it last went well. */
  readonly failures: number;
  /** The appliance's own constant in [0, 1) that tells its waits from its neighbours'. */
  readonly spread: number;
}

/** The certificate in use. */
export interface Held extends HeldCertificate {
  readonly names: readonly string[];
}

/** A key that is safe in the vault and waits for its certificate. */
export interface PendingKey {
  readonly keyHash: string;
  readonly names: readonly string[];
}

export type Event =
  | { readonly kind: 'link-up' }
  | { readonly kind: 'link-down' }
  | {
      readonly kind: 'state-received';
      readonly names: readonly string[];
      readonly mode: BrokerState['mode'];
      readonly todo: Todo;
      /** Whether it answers a hello; otherwise the broker speaks first. */
      readonly isAnswer: boolean;
      /** How long until the next hello at the latest. */
      readonly againAfterMs: number;
    }
  | { readonly kind: 'key-made'; readonly pending: PendingKey }
  | { readonly kind: 'accepted'; readonly keyHash: string; readonly etaMs: number }
  | { readonly kind: 'issued'; readonly certificate: IssuedCertificate }
  | { readonly kind: 'installed'; readonly held: Held }
  | { readonly kind: 'refused'; readonly error: LanyardError }
  | { readonly kind: 'failed'; readonly error: LanyardError }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'addresses-changed' }
  | { readonly kind: 'timer' };

export type Command =
  | { readonly kind: 'say-hello' }
  /** Make a key pair and write it to the vault; then `key-made` or `failed`. */
  | { readonly kind: 'make-key'; readonly names: readonly string[] }
  | { readonly kind: 'send-csr'; readonly pending: PendingKey }
  /** Verify and write to the vault; then `installed`, `refused` or `failed`. */
  | { readonly kind: 'install'; readonly certificate: IssuedCertificate }
  | { readonly kind: 'send-installed'; readonly fingerprint: string }
  /** Say bye and end the connection. */
  | { readonly kind: 'leave' }
  /** Connect again after `leave`. */
  | { readonly kind: 'come-back' }
  | { readonly kind: 'report'; readonly error: LanyardError };

export interface Step {
  readonly state: State;
  readonly commands: readonly Command[];
}

/** What a running request repeats after: idempotent, so early is only wasteful, late only slow. */
const CSR_REPEAT_MS = { base: 30_000, cap: 30 * 60_000 };
/** A second `state: request` within this time does not repeat the csr: the first is still on its way. */
const CSR_GAP_MS = 5_000;
/** A certificate usually takes under a minute; asking what became of it costs one hello. */
const LATE_MS = { base: 2 * 60_000, cap: 60 * 60_000 };
/** What failed here (vault, verification) may be cured by an operator, a firmware update or the clock. */
const FAILURE_MS = { base: 60_000, cap: 6 * 60 * 60_000 };
/** Whatever the broker asks for, an appliance does not say hello more often than this on its own. */
const SHORTEST_HELLO_GAP_MS = 5_000;

export function initialState(vault: Pick<State, 'held' | 'pending'>, spread: number): State {
  const names = vault.held?.names ?? vault.pending?.names ?? [];
  return { phase: { kind: 'idle' }, line: { kind: 'down' }, mode: 'resident', names, failures: 0, spread, ...vault };
}

/** @param nowMs monotonic milliseconds: the wall clock of an appliance may jump by decades. */
export function next(state: State, event: Event, nowMs: number): Step {
  return leaveWhenDone(react(state, event, nowMs));
}

/** When the machine wants a `timer` event; derived, so that no timer can be forgotten. */
export function wakesAtMs(state: State): number | undefined {
  const lineMs = lineWakesAtMs(state.line);
  const phaseMs = phaseWakesAtMs(state);
  return lineMs === undefined || phaseMs === undefined ? (lineMs ?? phaseMs) : Math.min(lineMs, phaseMs);
}

/** The correlation id of the request for a key: a repeat has the same, even after a reboot. */
export function csrId(keyHash: string): string {
  return `csr-${keyHash.slice(0, 32)}`;
}

function react(state: State, event: Event, nowMs: number): Step {
  switch (event.kind) {
    case 'link-up':
      return sayHello(state, 1, nowMs);
    case 'link-down':
      return only(state.line.kind === 'away' ? state : { ...state, line: { kind: 'down' } });
    case 'addresses-changed':
      return onAddressesChanged(state, nowMs);
    case 'state-received':
      return onState(state, event, nowMs);
    case 'key-made':
      return onKeyMade(state, event.pending, nowMs);
    case 'accepted':
      return onAccepted(state, event, nowMs);
    case 'issued':
      return onIssued(state, event.certificate);
    case 'installed':
      return onInstalled(state, event.held);
    case 'refused':
    case 'failed':
      return onFailure(state, event.error, nowMs);
    case 'problem':
      return onProblem(state, event.problem, nowMs);
    case 'timer':
      return onTimer(state, nowMs);
  }
}

function onAddressesChanged(state: State, nowMs: number): Step {
  switch (state.line.kind) {
    case 'down':
      return only(state);
    case 'away':
      return step({ ...state, line: { kind: 'down' } }, { kind: 'come-back' });
    case 'greeting':
      return sayHello(state, state.line.attempt, nowMs);
    case 'greeted':
      return sayHello(state, 1, nowMs);
  }
}

function onState(state: State, event: Extract<Event, { kind: 'state-received' }>, nowMs: number): Step {
  if (state.line.kind === 'down' || state.line.kind === 'away') return only(state);
  const againMs = Math.max(SHORTEST_HELLO_GAP_MS, event.againAfterMs * (1 - state.spread / 4));
  const line: Line = { kind: 'greeted', againAtMs: nowMs + Math.round(againMs) };
  const told: State = { ...state, names: event.names, mode: event.mode, line };
  const { todo } = event;
  if (todo.kind === 'install' && todo.fingerprint === state.held?.fingerprint) {
    const done = isWorking(told) ? told : settled(told);
    return step(done, { kind: 'send-installed', fingerprint: todo.fingerprint });
  }
  if (isWorking(told)) return only(told);
  switch (todo.kind) {
    case 'nothing':
      return only({ ...settled(told), failures: 0 });
    case 'wait':
      // A request for a key that is not here: the broker knows from the hello, and decides.
      return only(todo.keyHash === state.pending?.keyHash ? waiting(told, 0, nowMs) : settled(told));
    case 'install':
      return only(waiting(told, 0, nowMs));
    case 'request':
      return onRequested(told, todo.reason, event.isAnswer, nowMs);
  }
}

/** The broker wants a signing request: for the pending key if it can serve, else for a new one. */
function onRequested(state: State, reason: string, isAnswer: boolean, nowMs: number): Step {
  const { phase, pending } = state;
  const isHeldBack = phase.kind === 'blocked' && nowMs < phase.untilMs && isAnswer;
  if (isHeldBack) return only(state);
  if (state.names.length === 0) return only(settled(state));
  const wantsNewKey = (reason === 'key-unknown' || reason === 'replaced') && phase.kind !== 'requesting';
  if (pending === undefined || wantsNewKey || !isSameSet(pending.names, state.names)) return makeKey(state);
  if (phase.kind === 'requesting' && nowMs < phase.sentAtMs + CSR_GAP_MS) return only(state);
  return sendCsr(state, pending, 1, nowMs);
}

function onKeyMade(state: State, pending: PendingKey, nowMs: number): Step {
  if (state.phase.kind !== 'making-key') return only({ ...state, pending });
  if (state.names.length === 0) return only(settled({ ...state, pending }));
  // The names changed while the key was being made: the request must carry exactly the new ones.
  if (!isSameSet(pending.names, state.names)) return makeKey({ ...state, pending });
  return sendCsr({ ...state, pending }, pending, 1, nowMs);
}

function onAccepted(state: State, event: { keyHash: string; etaMs: number }, nowMs: number): Step {
  if (isWorking(state) || event.keyHash !== state.pending?.keyHash) return only(state);
  return only(waiting({ ...state, failures: 0 }, event.etaMs, nowMs));
}

function onIssued(state: State, certificate: IssuedCertificate): Step {
  // Its turn comes: until `installed` is said the broker sends it again after every hello.
  if (isWorking(state)) return only(state);
  const { held, pending } = state;
  if (certificate.fingerprint === held?.fingerprint) {
    return step(state.phase.kind === 'waiting' ? settled(state) : state, {
      kind: 'send-installed',
      fingerprint: held.fingerprint,
    });
  }
  const isNewer = certificate.keyHash === held?.keyHash && certificate.notAfterMs > held.notAfterMs;
  if (certificate.keyHash === pending?.keyHash || isNewer) {
    return step({ ...state, phase: { kind: 'installing' } }, { kind: 'install', certificate });
  }
  const message =
    certificate.keyHash === held?.keyHash
      ? 'the certificate has the key in use and expires no later than the one in use'
      : 'the certificate is for a key that this appliance does not have';
  const details = { check: 'key', fingerprint: certificate.fingerprint, keyHash: certificate.keyHash };
  return report(state, new LanyardError('certificate-refused', { message, details }));
}

function onInstalled(state: State, held: Held): Step {
  const pending = state.pending?.keyHash === held.keyHash ? undefined : state.pending;
  const phase: Phase = state.phase.kind === 'installing' ? { kind: 'idle' } : state.phase;
  return step(
    { ...state, phase, held, pending, failures: 0 },
    { kind: 'send-installed', fingerprint: held.fingerprint },
  );
}

function onFailure(state: State, error: LanyardError, nowMs: number): Step {
  if (!isWorking(state)) return report(state, error);
  const failures = state.failures + 1;
  const waitMs = growing(FAILURE_MS.base, FAILURE_MS.cap, failures, state.spread);
  return report(
    { ...state, failures, phase: { kind: 'blocked', untilMs: nowMs + waitMs } },
    error.retriedAfter(waitMs),
  );
}

function onProblem(state: State, problem: Problem, nowMs: number): Step {
  const { pending, line } = state;
  const isRequest =
    pending !== undefined &&
    (problem.id === csrId(pending.keyHash) || (problem.id === undefined && state.phase.kind === 'requesting'));
  // An answer to a request that was given up since.
  if (!isRequest && problem.id?.startsWith('csr-') === true) return only(state);
  const failures = state.failures + 1;
  const waitMs = problemWaitMs(problem, failures, state.spread);
  const error = describeProblem(problem, waitMs);
  const untilMs = nowMs + waitMs;
  const answered: State =
    !isRequest && line.kind === 'greeting' ? { ...state, line: { kind: 'greeted', againAtMs: untilMs } } : state;
  const isUnderWay = state.phase.kind === 'requesting' || state.phase.kind === 'waiting';
  if (isWorking(state) || (!isRequest && isUnderWay)) return report(answered, error);
  const kept = isRequest && isKeyProblem(problem.code) ? undefined : pending;
  return report({ ...answered, failures, pending: kept, phase: { kind: 'blocked', untilMs } }, error);
}

function onTimer(state: State, nowMs: number): Step {
  const phaseMs = phaseWakesAtMs(state);
  if (phaseMs !== undefined && nowMs >= phaseMs) return onPhaseDue(state, nowMs);
  const lineMs = lineWakesAtMs(state.line);
  return lineMs !== undefined && nowMs >= lineMs ? onLineDue(state, nowMs) : only(state);
}

function onPhaseDue(state: State, nowMs: number): Step {
  const { phase, pending } = state;
  if (phase.kind === 'requesting' && pending) return sendCsr(state, pending, phase.attempt + 1, nowMs);
  return sayHello(phase.kind === 'blocked' ? settled(state) : state, 1, nowMs);
}

function onLineDue(state: State, nowMs: number): Step {
  switch (state.line.kind) {
    case 'down':
      return only(state);
    case 'away':
      return step({ ...state, line: { kind: 'down' } }, { kind: 'come-back' });
    case 'greeted':
      return sayHello(state, 1, nowMs);
    case 'greeting': {
      const hello = sayHello(state, state.line.attempt + 1, nowMs);
      const error = new LanyardError('broker-silent', { details: { attempt: state.line.attempt } });
      return { state: hello.state, commands: [{ kind: 'report', error }, ...hello.commands] };
    }
  }
}

/** In check-in mode the appliance goes as soon as there is nothing to wait for. */
function leaveWhenDone(made: Step): Step {
  const { state } = made;
  const { phase, line } = state;
  const isDone = phase.kind === 'idle' || phase.kind === 'blocked';
  if (state.mode !== 'checkin' || line.kind !== 'greeted' || !isDone) return made;
  const untilMs = phase.kind === 'blocked' ? phase.untilMs : line.againAtMs;
  return { state: { ...state, line: { kind: 'away', untilMs } }, commands: [...made.commands, { kind: 'leave' }] };
}

/** Deadlines of a phase count only in conversation; after every interruption hello comes first. */
function phaseWakesAtMs({ phase, line, spread }: State): number | undefined {
  if (line.kind !== 'greeted') return undefined;
  switch (phase.kind) {
    case 'idle':
    case 'making-key':
    case 'installing':
      return undefined;
    case 'requesting':
      return phase.sentAtMs + growing(CSR_REPEAT_MS.base, CSR_REPEAT_MS.cap, phase.attempt, spread);
    case 'waiting':
      return phase.checkAtMs;
    case 'blocked':
      return phase.untilMs;
  }
}

function sayHello(state: State, attempt: number, nowMs: number): Step {
  return step({ ...state, line: greeting(attempt, state.spread, nowMs) }, { kind: 'say-hello' });
}

function makeKey(state: State): Step {
  return step({ ...state, phase: { kind: 'making-key' } }, { kind: 'make-key', names: state.names });
}

function sendCsr(state: State, pending: PendingKey, attempt: number, nowMs: number): Step {
  return step({ ...state, phase: { kind: 'requesting', attempt, sentAtMs: nowMs } }, { kind: 'send-csr', pending });
}

function waiting(state: State, etaMs: number, nowMs: number): State {
  const attempt = state.phase.kind === 'waiting' ? state.phase.attempt + 1 : 1;
  const patienceMs = Math.max(etaMs, growing(LATE_MS.base, LATE_MS.cap, attempt, state.spread));
  return { ...state, phase: { kind: 'waiting', attempt, checkAtMs: nowMs + patienceMs } };
}

function settled(state: State): State {
  return { ...state, phase: { kind: 'idle' } };
}

/** Whether something runs whose outcome must be awaited before anything else is begun. */
function isWorking(state: State): boolean {
  return state.phase.kind === 'making-key' || state.phase.kind === 'installing';
}

function report(state: State, error: LanyardError): Step {
  return step(state, { kind: 'report', error });
}

function only(state: State): Step {
  return { state, commands: [] };
}

function step(state: State, ...commands: readonly Command[]): Step {
  return { state, commands };
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name) => right.includes(name));
}
