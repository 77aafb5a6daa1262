/** When a CA wants to be asked again, read from its Retry-After header or from its words. */
import { parseTimestamp } from './timestamp.ts';

/** A CA that says 0 or a moment in the past still gets a pause: nothing is repeated in a tight loop. */
const SHORTEST_MS = 1_000;
/** The longest period of Let's Encrypt's limits; what asks for more is a fault, and would strand an appliance. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/**
 * Reads delay-seconds or an HTTP date (RFC 9110 §10.2.3), clamped to 1 second … 7 days.
 * @returns undefined when there is no header, or nonsense in it.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return clamp(Number(text) * 1_000);
  // Only dates that name their zone: the parser would take others for local time.
  if (text.length > 40 || !text.endsWith('GMT')) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : clamp(atMs - nowMs);
}

/** Boulder writes the instant as Go does, `2026-11-23 10:00:00 UTC`; it wrote it as RFC 3339 until 2024. */
const SPOKEN = /\bretry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?: UTC|Z)/;

/**
 * Reads what a problem document says to people, for answers whose header a proxy has dropped; clamped alike.
 * @returns undefined when it names no instant.
 */
export function readRetryAfter(detail: string, nowMs: number): number | undefined {
  const spoken = SPOKEN.exec(detail);
  const atMs = spoken === null ? undefined : parseTimestamp(`${spoken[1]}T${spoken[2]}Z`);
  return atMs === undefined ? undefined : clamp(atMs - nowMs);
}

function clamp(delayMs: number): number {
  return Math.min(Math.max(delayMs, SHORTEST_MS), LONGEST_MS);
}
