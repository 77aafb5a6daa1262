/** When an appliance grows uneasy about its certificate. The broker decides on renewals; this is the backstop. */

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * The moment from which a certificate counts as expiring. The broker renews with a third of the life left at the
 * latest (30 of 90 days, 2 of 6); at a sixth something has gone wrong for a long time already.
 */
export function expiringFromMs({ notBeforeMs, notAfterMs }: Validity): number {
  return notAfterMs - Math.max(0, notAfterMs - notBeforeMs) / 6;
}

/** While a certificate is expiring the broker is asked every hour, whatever it said about coming again. */
const UNEASY_MS = 60 * 60_000;

/** How long until hello must be said again: as the broker asked, sooner when the certificate is or gets near its end. */
export function helloAgainAfterMs(askedMs: number, validity: Validity | undefined, nowMs: number): number {
  if (validity === undefined) return Math.min(askedMs, UNEASY_MS);
  return Math.min(askedMs, Math.max(UNEASY_MS, expiringFromMs(validity) - nowMs));
}
