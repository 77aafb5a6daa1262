/** When a certificate ought to be renewed. */

const DAY_MS = 86_400_000;

/** Let's Encrypt's own renewal windows: centre at 2/3 of life (1/2 under ten days), 2 % of life wide. */
const SHORT_LIFE_MS = 10 * DAY_MS;
const CENTRE = 2 / 3;
const CENTRE_WHEN_SHORT = 1 / 2;
const WINDOW_WIDTH = 0.02;
/** Of what is left of its life when it is issued. */
const LEAST_USE = 1 / 3;

/**
 * A random instant in the window, so that certificates issued together are not renewed together.
 * Renewal information of the CA (RFC 9773) takes its place where the CA offers it. Of a certificate that is old when it
 * is issued a third of what is left passes first: it would be renewed at once, and the next one again.
 * @param uniform in [0, 1), thrown once per certificate.
 */
export function renewalTime(validity: Validity, uniform: number, issuedAtMs: number): number {
  const lifeMs = validity.notAfterMs - validity.notBeforeMs;
  const centre = lifeMs < SHORT_LIFE_MS ? CENTRE_WHEN_SHORT : CENTRE;
  const windowMs = validity.notBeforeMs + lifeMs * (centre + (uniform - 0.5) * WINDOW_WIDTH);
  const leftMs = Math.max(0, validity.notAfterMs - issuedAtMs);
  return Math.round(Math.max(windowMs, issuedAtMs + leftMs * LEAST_USE));
}

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
