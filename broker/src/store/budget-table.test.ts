import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bucket, BucketChange } from '../certificates/budget/bucket.ts';
import { budgetTable, type BudgetTable } from './budget-table.ts';
import { openDatabase } from './sqlite-database.ts';

let database: DatabaseSync;
let budget: BudgetTable;

beforeEach(() => {
  database = openDatabase(':memory:');
  budget = budgetTable(database);
});

afterEach(() => database.close());

function bucketOf(subject: string, authority = 'ca'): Bucket {
  return { authority, limit: 'exact-set', subject };
}

/** Full again at `untilMs`. */
function emptied(bucket: Bucket, untilMs: number): BucketChange {
  return { kind: 'empty', bucket, limit: { burst: 1, periodMs: 1_000 }, untilMs };
}

function rows(): readonly unknown[] {
  const all = database.prepare('SELECT authority, subject FROM buckets ORDER BY authority, subject').all();
  return all.map(({ authority, subject }) => [authority, subject]);
}

test('a sweep forgets what is full of the account, and nothing else', () => {
  budget.apply([
    emptied(bucketOf('past'), 9),
    emptied(bucketOf('now'), 10),
    emptied(bucketOf('later'), 10.5),
    emptied(bucketOf('past', 'another-ca'), 9),
  ]);
  budget.sweep('ca', 10);
  expect(rows()).toEqual([
    ['another-ca', 'past'],
    ['ca', 'later'],
  ]);
});

test('one sweep takes a bounded time, and many of them take everything', () => {
  budget.apply(Array.from({ length: 100 }, (_, n) => emptied(bucketOf(`name-${n}`), n)));
  budget.sweep('ca', 1_000);
  const left = rows().length;
  expect(left).toBeGreaterThan(50);
  expect(left).toBeLessThan(100);
  for (let sweeps = 0; sweeps < 10; sweeps++) budget.sweep('ca', 1_000);
  expect(rows()).toEqual([]);
});

test('a row that does not hold a bucket is not believed', () => {
  database.exec("INSERT INTO buckets VALUES ('ca', 'no-such-limit', '', 9)");
  expect(() => budget.levels('ca', 0, 10)).toThrow(expect.objectContaining({ code: 'store-failed' }));
});
