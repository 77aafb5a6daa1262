/** The table of buckets: what was spent of every CA account, and who holds a place. */
import type { DatabaseSync } from 'node:sqlite';
import type { Bucket, BucketChange, BucketLevel, FullAtMs } from '../certificates/budget/bucket.ts';
import { changed } from '../certificates/budget/token-bucket.ts';
import { levelFrom } from './bucket-row.ts';

/** More than a placement and what follows from it can add, so that the table shrinks to what is not full. */
const SWEPT_AT_ONCE = 16;

export interface BudgetTable {
  /** Undefined: full. */
  fullAtMs(bucket: Bucket): FullAtMs | undefined;
  /** How many orders hold a place in it, without the order `exceptId`. */
  holders(bucket: Bucket, exceptId: string): number;
  /** Each change sees what those before it did. */
  apply(changes: readonly BucketChange[]): void;
  /** Every bucket of the account that is not full at `nowMs`, the emptiest first. */
  levels(authority: string, nowMs: number, limit: number): readonly BucketLevel[];
  /** Forgets some buckets of the account that are full at `nowMs`: a row that says so is no news. */
  sweep(authority: string, nowMs: number): void;
}

export function budgetTable(database: DatabaseSync): BudgetTable {
  const one = 'authority = ? AND bucket_limit = ? AND subject = ?';
  const get = database.prepare(`SELECT full_at_ms FROM buckets WHERE ${one}`);
  const set = database.prepare(`
    INSERT INTO buckets (authority, bucket_limit, subject, full_at_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT (authority, bucket_limit, subject) DO UPDATE SET full_at_ms = excluded.full_at_ms`);
  const remove = database.prepare(`DELETE FROM buckets WHERE ${one}`);
  const holders = database.prepare(`
    SELECT count(*) AS n FROM orders
    WHERE placement ->> '$.holds.authority' = ? AND placement ->> '$.holds.limit' = ?
      AND placement ->> '$.holds.subject' = ? AND id <> ?`);
  const levels = database.prepare(`
    SELECT authority, bucket_limit, subject, full_at_ms FROM buckets
    WHERE authority = ? AND full_at_ms > ? ORDER BY full_at_ms DESC LIMIT ?`);
  const sweep = database.prepare(`
    DELETE FROM buckets WHERE (authority, bucket_limit, subject) IN (
      SELECT authority, bucket_limit, subject FROM buckets
      WHERE authority = ? AND full_at_ms <= ? ORDER BY full_at_ms LIMIT ${SWEPT_AT_ONCE})`);
  const fullAtMs = (bucket: Bucket): FullAtMs | undefined => {
    const found = get.get(...keyOf(bucket))?.['full_at_ms'];
    return typeof found === 'number' ? found : undefined;
  };
  return {
    fullAtMs,
    holders: (bucket, exceptId) => Number(holders.get(...keyOf(bucket), exceptId)?.['n']),
    apply(changes) {
      for (const change of changes) {
        const level = changed(fullAtMs(change.bucket), change);
        if (level === undefined) remove.run(...keyOf(change.bucket));
        else set.run(...keyOf(change.bucket), level);
      }
    },
    levels: (authority, nowMs, limit) => levels.all(authority, nowMs, limit).map(levelFrom),
    sweep: (authority, nowMs) => void sweep.run(authority, nowMs),
  };
}

function keyOf({ authority, limit, subject }: Bucket): [authority: string, limit: string, subject: string] {
  return [authority, limit, subject];
}
