/** How long to wait before the next attempt. */
import type { Random } from './random.ts';

export interface BackoffBounds {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly capMs: number;
}

/**
 * Full jitter: uniform between nothing and the exponential bound, so that a fleet that lost its broker at one
 * instant comes back spread out instead of in waves.
 * @param attempt how many attempts have failed so far, from 1.
 */
export function fullJitter(bounds: BackoffBounds, attempt: number, random: Random): number {
  const bound = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(attempt - 1, 52));
  return Math.floor(random.uniform() * bound);
}
