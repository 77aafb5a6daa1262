/** How many rows one question may bring back. */

/** One answer then stays below some ten megabytes, and the thread is soon free again. */
const MOST_ROWS = 10_000;

/** A whole number from 0 to the bound; SQLite would read a negative limit as none. */
export function rowLimit(asked: number): number {
  return Number.isFinite(asked) ? Math.min(Math.max(Math.floor(asked), 0), MOST_ROWS) : MOST_ROWS;
}
