/**
 * Whether a CA may be asked at all, as a pure machine: one that is away is asked less and less often, by one act at a
 * time, until it answers.
 *
 *     ┌───────────────────────answered────────────────────────┐
 *     ▼                                                       │
 *   closed ─5th failed in a row─▶ open ─sent, pause over─▶ half-open ⟲ sent, the trial being lost
 *     ▲                           │  ▲                        │
 *     └─────────answered──────────┘  └─failed (pause doubles)─┤
 *                                    └─busy───────────────────┘
 * In half-open one act, the trial, is under way. A trial that never answers is lost after a while, and another may go.
 */

export type BreakerState =
  /** `failures`: in a row, without an answer between. */
  | { readonly kind: 'closed'; readonly failures: number }
  | ({ readonly kind: 'open' } & Outage)
  | ({ readonly kind: 'half-open' } & Outage);

interface Outage {
  readonly sinceMs: number;
  /** Bound of the present pause. */
  readonly pauseMs: number;
  /** When the next trial may go. */
  readonly untilMs: number;
}

export type BreakerEvent =
  /** An act goes out. */
  | { readonly kind: 'sent' }
  /** The CA could not be reached. */
  | { readonly kind: 'failed'; readonly retryAfterMs: number | undefined }
  /** Whatever it said, it is there. */
  | { readonly kind: 'answered' }
  /** Somebody before the CA turned the act away until then, which says nothing about the CA itself. */
  | { readonly kind: 'busy'; readonly untilMs: number };

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 };

/** A few connections get lost on any day; five acts in a row do not. */
const MOST_FAILURES = 5;

/** As long as an order's own first repeats last; and a CA that is back is found within the longest repeat of an order. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 1_800_000;

/** Maintenance may be announced; whoever asks for more is asked again all the same. */
const LONGEST_ASKED_PAUSE_MS = 3_600_000;

/** No call takes longer than this, so that an answer is not to be expected any more. */
const TRIAL_MS = 120_000;

/**
 * What the breaker is after `event`.
 * @param jitter a number in [0, 1) that spreads the brokers of a CA that comes back.
 * @returns the same state when the event changes nothing.
 */
export function next(state: BreakerState, event: BreakerEvent, nowMs: number, jitter: number): BreakerState {
  switch (event.kind) {
    case 'sent':
      return afterSending(state, nowMs);
    case 'failed':
      return afterFailure(state, event.retryAfterMs, nowMs, jitter);
    case 'answered':
      return state.kind === 'closed' && state.failures === 0 ? state : CLOSED;
    case 'busy':
      // The trial was no trial: another one goes when it is allowed, after no longer a pause than before.
      return state.kind === 'half-open' ? { ...state, kind: 'open', untilMs: event.untilMs } : state;
  }
}

/** From when on an act may go out; in the past: it may. */
export function opensAtMs(state: BreakerState): number {
  return state.kind === 'closed' ? 0 : state.untilMs;
}

function afterSending(state: BreakerState, nowMs: number): BreakerState {
  if (state.kind === 'closed' || nowMs < state.untilMs) return state;
  return { ...state, kind: 'half-open', untilMs: nowMs + TRIAL_MS + state.pauseMs };
}

function afterFailure(
  state: BreakerState,
  retryAfterMs: number | undefined,
  nowMs: number,
  jitter: number,
): BreakerState {
  const askedMs = Math.min(retryAfterMs ?? 0, LONGEST_ASKED_PAUSE_MS);
  switch (state.kind) {
    case 'closed':
      if (state.failures + 1 < MOST_FAILURES) return { ...state, failures: state.failures + 1 };
      return open(nowMs, FIRST_PAUSE_MS, { askedMs, nowMs, jitter });
    case 'open':
      // It was under way when the breaker opened: no news, unless the CA asks for a longer pause.
      return nowMs + askedMs > Math.max(state.untilMs, nowMs) ? { ...state, untilMs: nowMs + askedMs } : state;
    case 'half-open':
      return open(state.sinceMs, Math.min(state.pauseMs * 2, LONGEST_PAUSE_MS), { askedMs, nowMs, jitter });
  }
}

function open(
  sinceMs: number,
  pauseMs: number,
  { askedMs, nowMs, jitter }: { readonly askedMs: number; readonly nowMs: number; readonly jitter: number },
): BreakerState {
  // Half to whole of the bound: a minimum pause is kept even when the dice are unkind.
  const ownMs = Math.floor(pauseMs * (0.5 + jitter / 2));
  return { kind: 'open', sinceMs, pauseMs, untilMs: nowMs + Math.max(ownMs, askedMs) };
}
