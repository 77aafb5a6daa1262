/** What follows for a certificate when its CA was asked for renewal information (RFC 9773). Pure. */
import type { RenewalInfo } from '../authority.ts';
import type { NotedRenewal } from '../order-store.ts';
import type { RenewalWindow, StoredCertificate } from '../stored-certificate.ts';
import { renewalTime } from './renewal-time.ts';

/** The answers that have different consequences. */
export type RenewalAnswer =
  | { readonly kind: 'said'; readonly info: RenewalInfo }
  /** This CA has no renewal information. */
  | { readonly kind: 'no-offer' }
  /** No answer in time, 5xx, 429. */
  | { readonly kind: 'temporary'; readonly retryAfterMs?: number }
  /** Nothing that asking again soon would mend. */
  | { readonly kind: 'malformed' };

export interface Look {
  readonly certificate: StoredCertificate;
  readonly answer: RenewalAnswer;
  /** How many temporary answers came in a row, with this one. */
  readonly misses: number;
  readonly nowMs: number;
  /** In [0, 1), thrown for this look. */
  readonly uniform: number;
}

/** Urgent: the CA wants it renewed long before its time, as after a revocation or an incident. */
export type RenewalAdvice = NotedRenewal & { readonly isUrgent: boolean };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** RFC 9773 §4.3.2: bounds of the CA's Retry-After. */
const SHORTEST_WAIT_MS = MINUTE_MS;
const LONGEST_WAIT_MS = DAY_MS;
/** RFC 9773 §4.3.3: the pause after what asking again does not mend, such as a missing Retry-After. */
const LONG_TERM_WAIT_MS = 6 * HOUR_MS;
/** §4.3.3 leaves these to the client: doubled after each miss. */
const FIRST_REPEAT_MS = MINUTE_MS;
const LONGEST_REPEAT_MS = LONG_TERM_WAIT_MS;
/**
 * At the very end of a window it would be over before the order is at the CA, which loses the exemption from limits: the
 * appliance makes a key first, and placing allows two minutes for the way (budget/decide-placement.ts).
 */
const SPARED_AT_END_MS = 10 * MINUTE_MS;
const MOST_SPARED = 1 / 4;
/** A fleet that was issued in a rush shall not ask in a rush. */
const FIRST_LOOK_WITHIN_MS = HOUR_MS;

export function afterLook(look: Look): RenewalAdvice {
  const { answer, misses } = look;
  switch (answer.kind) {
    case 'said':
      return isWindow(answer.info.window) ? afterWord(look, answer.info) : asBefore(look, LONG_TERM_WAIT_MS);
    case 'no-offer':
      // A CA that begins to offer it says so of what it issues from then on.
      return asBefore(look, Infinity);
    case 'temporary':
      return asBefore(look, Math.max(repeatAfterMs(misses), boundedWaitMs(answer.retryAfterMs ?? 0)));
    case 'malformed':
      return asBefore(look, LONG_TERM_WAIT_MS);
  }
}

/** When a fresh certificate is looked up first. */
export function firstLookMs(issuedAtMs: number, uniform: number): number {
  return issuedAtMs + Math.floor(uniform * FIRST_LOOK_WITHIN_MS);
}

/** What the CA asks to wait, within RFC 9773's bounds. */
export function boundedWaitMs(retryAfterMs: number): number {
  return Math.min(Math.max(retryAfterMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}

function afterWord(look: Look, { window, explanationUrl, retryAfterMs }: RenewalInfo): RenewalAdvice {
  const waitMs = retryAfterMs === undefined ? LONG_TERM_WAIT_MS : boundedWaitMs(retryAfterMs);
  return {
    renewAtMs: instantFor(look, window),
    window,
    ...(explanationUrl === undefined ? {} : { explanationUrl }),
    lookUpAtMs: lookAgainMs(look, waitMs),
    isUrgent: isUrgent(look, window),
  };
}

function asBefore(look: Look, waitMs: number): RenewalAdvice {
  const { renewAtMs, window, explanationUrl } = look.certificate;
  return {
    renewAtMs,
    window,
    ...(explanationUrl === undefined ? {} : { explanationUrl }),
    lookUpAtMs: lookAgainMs(look, waitMs),
    isUrgent: false,
  };
}

/** RFC 9773 §4.2: a uniformly random instant in the window, thrown once, or now when the window is over. */
function instantFor({ certificate, nowMs, uniform }: Look, window: RenewalWindow): number {
  const { renewAtMs, issuedAtMs } = certificate;
  // Thrown anew at every look, an instant drifts.
  if (isSame(window, certificate.window)) return renewAtMs;
  // What is due is asked for already. It may be due because an operator said so, which no CA takes back; and Let's
  // Encrypt's window in an incident moves along with the clock.
  if (renewAtMs <= nowMs) return renewAtMs;
  if (window.endMs <= nowMs) return nowMs;
  const latestMs = renewalTime(certificate, 1, issuedAtMs);
  // A CA is not believed that it can wait longer than is safe. Such certificates still shall not come all at once.
  if (window.startMs >= latestMs) return renewalTime(certificate, uniform, issuedAtMs);
  const sparedMs = Math.min(SPARED_AT_END_MS, (window.endMs - window.startMs) * MOST_SPARED);
  const endMs = Math.min(window.endMs - sparedMs, latestMs);
  return window.startMs + Math.floor(uniform * (endMs - window.startMs));
}

/** The window is over, and before the certificate's own would have begun. */
function isUrgent({ certificate, nowMs }: Look, { endMs }: RenewalWindow): boolean {
  return endMs <= nowMs && endMs <= renewalTime(certificate, 0, certificate.issuedAtMs);
}

/** RFC 9773 §4.3: nobody asks about an expired certificate. */
function lookAgainMs({ certificate, nowMs }: Look, waitMs: number): number | undefined {
  const atMs = nowMs + waitMs;
  return atMs < certificate.notAfterMs ? atMs : undefined;
}

function repeatAfterMs(misses: number): number {
  return Math.min(FIRST_REPEAT_MS * 2 ** Math.min(Math.max(misses - 1, 0), 30), LONGEST_REPEAT_MS);
}

/** RFC 9773 §4.2: a window that does not end after its start is none. */
function isWindow({ startMs, endMs }: RenewalWindow): boolean {
  return startMs < endMs;
}

function isSame(window: RenewalWindow, former: RenewalWindow | undefined): boolean {
  return window.startMs === former?.startMs && window.endMs === former.endMs;
}
