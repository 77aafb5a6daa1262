/** When to try the broker again: after a lost line, after a failed attempt, after a refusal. */
import { fullJitter } from '../kernel/backoff.ts';
import type { BackoffBounds } from '../kernel/backoff.ts';
import type { LanyardError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import { LIMITS } from '../protocol/limits.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A network that is gone for a moment; at most one attempt in ten minutes while it stays away. */
const UNREACHABLE: BackoffBounds = { baseMs: SECOND, capMs: 10 * MINUTE };
/** A captive portal, or the wrong root: rarely cured by haste. */
const UNTRUSTED: BackoffBounds = { baseMs: 30 * SECOND, capMs: 10 * MINUTE };
/** CONNACK 3: the broker has too much to do. */
const OVERLOADED: BackoffBounds = { baseMs: MINUTE, capMs: 10 * MINUTE };
/** Cured by a person, who enrols the appliance. */
const REFUSED: BackoffBounds = { baseMs: MINUTE, capMs: 30 * MINUTE };
/** A line that held this long was a good one; losing an earlier one counts as a failed attempt. */
const STEADY_MS = MINUTE;
/** MQTT 3.1.1 §3.2.2.3: server unavailable. */
const SERVER_UNAVAILABLE = 3;

export class ReconnectSchedule {
  readonly #random: Random;
  #spreadMs: number | undefined;
  #failures = 0;

  constructor({ random }: { readonly random: Random }) {
    this.#random = random;
  }

  setSpread(spreadMs: number): void {
    if (Number.isFinite(spreadMs)) this.#spreadMs = Math.min(Math.max(0, spreadMs), LIMITS.waitSeconds * SECOND);
  }

  /** How long to wait after an attempt that failed. */
  afterFailure(error: LanyardError): number {
    this.#failures += 1;
    return fullJitter(boundsFor(error), this.#failures, this.#random);
  }

  /**
   * How long to wait after a line that was up for `upMs` is lost. Within the broker's spread, so that a fleet that
   * lost its broker at one instant does not come back at one; longer only when line after line is short-lived.
   */
  afterLoss(error: LanyardError, upMs: number): number {
    if (upMs >= STEADY_MS) this.#failures = 0;
    const isFirst = this.#failures === 0;
    const backoffMs = this.afterFailure(error);
    if (this.#spreadMs === undefined) return backoffMs;
    const spreadMs = Math.floor(this.#random.uniform() * this.#spreadMs);
    return isFirst ? spreadMs : Math.max(spreadMs, backoffMs);
  }
}

/** CONNACK 3, which shows in an error's details. */
export function isOverload(error: LanyardError): boolean {
  return error.details['returnCode'] === SERVER_UNAVAILABLE;
}

function boundsFor(error: LanyardError): BackoffBounds {
  if (isOverload(error)) return OVERLOADED;
  if (error.code === 'broker-refused') return REFUSED;
  return error.code === 'broker-untrusted' ? UNTRUSTED : UNREACHABLE;
}
