/** From when to when a certificate is good. */

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Boulder dates certificates back, for clients whose clocks run late. */
const BACKDATE_MS = 3_600_000;

export function validityFrom(nowMs: number, lifeMs: number): Validity {
  const notBeforeMs = Math.floor((nowMs - BACKDATE_MS) / 1000) * 1000;
  // RFC 5280 §4.1.2.5: the last second belongs to the validity.
  return { notBeforeMs, notAfterMs: notBeforeMs + lifeMs - 1000 };
}

/** A fault: it ended when it was made. */
export function expiredValidity(nowMs: number, lifeMs: number): Validity {
  return validityFrom(nowMs - lifeMs, lifeMs);
}
