/** A token bucket as one number (GCRA, Boulder's ratelimits/gcra.go): the instant at which it will be full again. */
import type { RateLimit } from './rate-limits.ts';

export interface Decision {
  readonly isAllowed: boolean;
  /** The bucket's number after the spend, or as it was. */
  readonly fullAtMs: number;
  /** 0 when allowed. */
  readonly retryAfterMs: number;
}

/** What an instant of these years loses in a double's last digits, summed over a burst. */
const TOLERANCE_MS = 0.01;

export function spendOne(fullAtMs: number, limit: RateLimit, nowMs: number): Decision {
  const intervalMs = refillMs(limit);
  const after = Math.max(fullAtMs, nowMs) + intervalMs;
  const missingMs = after - limit.burst * intervalMs - nowMs;
  if (missingMs <= Math.min(TOLERANCE_MS, intervalMs / 100))
    return { isAllowed: true, fullAtMs: after, retryAfterMs: 0 };
  return { isAllowed: false, fullAtMs, retryAfterMs: missingMs };
}

/** Never more than full. */
export function refundOne(fullAtMs: number, limit: RateLimit, nowMs: number): number {
  return Math.max(nowMs, fullAtMs - refillMs(limit));
}

/** How many may still be spent at once, with the part that is on its way. */
export function levelOf(fullAtMs: number, limit: RateLimit, nowMs: number): number {
  return limit.burst - Math.max(0, fullAtMs - nowMs) / refillMs(limit);
}

/** How long one token takes to come back. */
export function refillMs(limit: RateLimit): number {
  return limit.periodMs / (limit.count ?? limit.burst);
}
