/** When Boulder would like a certificate to be renewed (core/objects.go, RenewalInfoSimple and RenewalInfoImmediate). */

export interface RenewalWindow {
  readonly startMs: number;
  /** The first instant that is outside. */
  readonly endMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

/** Below this a certificate is renewed at half of its life. */
const SHORT_LIFE_MS = 10 * DAY_MS;

export function ordinaryWindow(notBeforeMs: number, notAfterMs: number): RenewalWindow {
  // RFC 5280 §4.1.2.5: the last second belongs to the validity.
  const lifeMs = notAfterMs + 1000 - notBeforeMs;
  const centreMs = notAfterMs - (lifeMs < SHORT_LIFE_MS ? lifeMs / 2 : lifeMs / 3);
  const marginMs = lifeMs / 100;
  return { startMs: wholeSeconds(centreMs - marginMs), endMs: wholeSeconds(centreMs + marginMs) };
}

/** In the past, and already over: whoever comes now is late, which costs the exemption. */
export function immediateWindow(nowMs: number): RenewalWindow {
  return { startMs: wholeSeconds(nowMs - 60 * MINUTE_MS), endMs: wholeSeconds(nowMs - 30 * MINUTE_MS) };
}

export function isWithin(window: RenewalWindow, nowMs: number): boolean {
  return window.startMs <= nowMs && nowMs < window.endMs;
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}
