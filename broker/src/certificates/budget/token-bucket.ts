/**
 * A token bucket kept as one number, the instant at which it will be full again: the generic cell rate algorithm, which
 * Boulder uses too (ratelimits/gcra.go). Pure. Undefined stands for full.
 */
import type { BucketChange, FullAtMs } from './bucket.ts';
import type { RateLimit } from './rate-limit.ts';

export interface Demand {
  /** How many tokens are taken. */
  readonly need?: number;
  /** How many stay for others; never so many that `need` could not be met by a full bucket. */
  readonly leaving?: number;
}

/** The earliest instant, from `nowMs` on, at which so much is there. Infinity: it needs more than the bucket ever has. */
export function freeAtMs(
  fullAtMs: FullAtMs | undefined,
  limit: RateLimit,
  nowMs: number,
  { need = 1, leaving = 0 }: Demand = {},
): number {
  const { burst } = limit;
  if (need > burst) return Infinity;
  if (fullAtMs === undefined) return nowMs;
  const missingAtMost = Math.max(0, burst - need - leaving);
  return Math.max(nowMs, fullAtMs - missingAtMost * intervalMs(limit));
}

/** The level after one more was taken at `atMs`, whether it was there or not. */
export function spent(fullAtMs: FullAtMs | undefined, limit: RateLimit, atMs: number): FullAtMs {
  return Math.max(fullAtMs ?? atMs, atMs) + intervalMs(limit);
}

/** A level at which the next token is there at `untilMs` to the instant; what is emptier already stays as it is. */
export function emptyUntil(fullAtMs: FullAtMs | undefined, limit: RateLimit, untilMs: number): FullAtMs {
  const emptyMs = untilMs + (limit.burst - 1) * intervalMs(limit);
  return Math.max(fullAtMs ?? emptyMs, emptyMs);
}

/** How many are there, for people: whole ones, and none rather than a debt. */
export function tokensAt(fullAtMs: FullAtMs | undefined, limit: RateLimit, nowMs: number): number {
  const missing = Math.ceil(Math.max(0, (fullAtMs ?? nowMs) - nowMs) / intervalMs(limit));
  return Math.max(0, limit.burst - missing);
}

/** The level after `change`. */
export function changed(fullAtMs: FullAtMs | undefined, change: BucketChange): FullAtMs | undefined {
  switch (change.kind) {
    case 'spend':
      return spent(fullAtMs, change.limit, change.atMs);
    case 'empty':
      return emptyUntil(fullAtMs, change.limit, change.untilMs);
    case 'refill':
      return undefined;
  }
}

/** How long one token takes to come back. Rounded up: levels stay whole milliseconds, and we never ask too soon. */
function intervalMs({ burst, periodMs, count = burst }: RateLimit): number {
  return Math.ceil(periodMs / count);
}
