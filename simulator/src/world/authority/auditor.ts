/** The check of the checker: counts what was let through in its own way, and tells when it was more than allowed. */
import type { LimitName, RateLimit } from './rate-limits.ts';

interface Level {
  tokens: number;
  atMs: number;
}

/** Two ways to count may differ by the digits that a double loses, not by a token. */
const TOLERANCE = 0.05;

const SMALLEST_SWEEP = 1024;

export class Auditor {
  readonly #levels = new Map<LimitName, Map<string, Level>>();
  readonly #sweepAtSize = new Map<LimitName, number>();

  /** Whether what just happened was one too many. */
  isOverdrawn(name: LimitName, limit: RateLimit, key: string, nowMs: number): boolean {
    const levels = this.#levels.get(name) ?? new Map<string, Level>();
    this.#levels.set(name, levels);
    const level = levels.get(key) ?? { tokens: limit.burst, atMs: nowMs };
    level.tokens = refilled(level, limit, nowMs) - 1;
    level.atMs = nowMs;
    levels.set(key, level);
    const isOverdrawn = level.tokens < -TOLERANCE;
    // What was told is not told again for each that follows.
    if (isOverdrawn) level.tokens = 0;
    if (levels.size >= (this.#sweepAtSize.get(name) ?? SMALLEST_SWEEP)) this.#sweep(name, levels, limit, nowMs);
    return isOverdrawn;
  }

  /** The order that it was for did not come about. */
  takeBack(name: LimitName, limit: RateLimit, key: string): void {
    const level = this.#levels.get(name)?.get(key);
    if (level !== undefined) level.tokens = Math.min(limit.burst, level.tokens + 1);
  }

  /** Other figures begin with full buckets here, since the old levels say nothing about them. */
  forget(): void {
    this.#levels.clear();
    this.#sweepAtSize.clear();
  }

  #sweep(name: LimitName, levels: Map<string, Level>, limit: RateLimit, nowMs: number): void {
    for (const [key, level] of levels) if (refilled(level, limit, nowMs) >= limit.burst) levels.delete(key);
    this.#sweepAtSize.set(name, Math.max(SMALLEST_SWEEP, levels.size * 2));
  }
}

function refilled(level: Level, limit: RateLimit, nowMs: number): number {
  const perMs = (limit.count ?? limit.burst) / limit.periodMs;
  return Math.min(limit.burst, level.tokens + (nowMs - level.atMs) * perMs);
}
