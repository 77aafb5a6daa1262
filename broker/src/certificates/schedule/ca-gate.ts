/** When the next request may go out to one CA: not while it is away, and no faster than it allows. */
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { FullAtMs } from '../budget/bucket.ts';
import type { RateLimit, RequestRate } from '../budget/rate-limit.ts';
import { freeAtMs, spent } from '../budget/token-bucket.ts';
import { CLOSED, next, opensAtMs } from './breaker.ts';
import type { BreakerEvent, BreakerState } from './breaker.ts';

export interface CaGateParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: as fast as they are answered. */
  readonly requests?: RequestRate;
  readonly log: Logger;
}

/** How the CA is, for people. */
export type CaGateState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly sinceMs: number }
  /** One act tries whether the CA is back, or may do so as soon as there is one. */
  | { readonly kind: 'half-open'; readonly sinceMs: number };

/** What a ceiling of requests asks for is seconds; more than an hour would be something else. */
const SHORTEST_BUSY_MS = 1_000;
const LONGEST_BUSY_MS = 3_600_000;

/** In memory: a restart forgets that the CA was away, and learns it again by five acts. */
export class CaGate {
  readonly #parts: CaGateParts;
  readonly #pace: RateLimit | undefined;
  #paceFullAtMs: FullAtMs | undefined;
  #breaker: BreakerState = CLOSED;
  #busyUntilMs = 0;

  constructor(parts: CaGateParts) {
    this.#parts = parts;
    this.#pace = parts.requests && paceOf(parts.requests);
  }

  /** Now or before: an act may go out. Never `Infinity`, or a trial without an answer would lock the gate. */
  opensAtMs(): number {
    const nowMs = this.#parts.clock.nowMs();
    const paceAtMs = this.#pace ? freeAtMs(this.#paceFullAtMs, this.#pace, nowMs) : nowMs;
    return Math.max(opensAtMs(this.#breaker), this.#busyUntilMs, paceAtMs);
  }

  /** An act goes out. One of several requests may go when there is room for one: those after it wait the longer. */
  pass(requests = 1): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#happened({ kind: 'sent' }, nowMs);
    if (this.#pace === undefined) return;
    for (let n = 0; n < requests; n++) this.#paceFullAtMs = spent(this.#paceFullAtMs, this.#pace, nowMs);
  }

  /** The CA is there, even if it refused. */
  answered(): void {
    this.#happened({ kind: 'answered' }, this.#parts.clock.nowMs());
  }

  /** The CA could not be reached. */
  away(retryAfterMs?: number): void {
    this.#happened({ kind: 'failed', retryAfterMs }, this.#parts.clock.nowMs());
  }

  /** Too many requests from our address (503 with Retry-After): nobody has failed, but nothing goes out until then. */
  busy(retryAfterMs: number): void {
    const nowMs = this.#parts.clock.nowMs();
    const untilMs = nowMs + Math.min(Math.max(retryAfterMs, SHORTEST_BUSY_MS), LONGEST_BUSY_MS);
    this.#busyUntilMs = Math.max(this.#busyUntilMs, untilMs);
    this.#happened({ kind: 'busy', untilMs }, nowMs);
  }

  /** Since when the CA has been away; undefined: it is there, as far as is known. */
  awaySinceMs(): number | undefined {
    return this.#breaker.kind === 'closed' ? undefined : this.#breaker.sinceMs;
  }

  state(): CaGateState {
    const breaker = this.#breaker;
    if (breaker.kind === 'closed') return { kind: 'closed' };
    const { sinceMs, untilMs } = breaker;
    const isPausing = breaker.kind === 'open' && untilMs > this.#parts.clock.nowMs();
    return isPausing ? { kind: 'open', untilMs, sinceMs } : { kind: 'half-open', sinceMs };
  }

  #happened(event: BreakerEvent, nowMs: number): void {
    const before = this.#breaker;
    this.#breaker = next(before, event, nowMs, this.#parts.random.uniform());
    if (this.#breaker.kind !== before.kind) this.#tell(before, event, nowMs);
  }

  #tell(before: BreakerState, event: BreakerEvent, nowMs: number): void {
    const { log } = this.#parts;
    const after = this.#breaker;
    if (after.kind === 'open' && event.kind === 'failed') {
      log.warn({ until: new Date(after.untilMs).toISOString() }, 'the CA is away: nothing is sent to it');
    } else if (after.kind === 'closed' && before.kind !== 'closed') {
      log.info({ awayMs: nowMs - before.sinceMs }, 'the CA is back');
    }
  }
}

function paceOf({ perSecond, burst }: RequestRate): RateLimit {
  // A burst of none would never let anything out.
  return { burst: Math.max(1, burst), periodMs: 1_000, count: perSecond };
}
