/** Runs many operations for the price of one flush to disk, and yet each as a transaction of its own. */
import type { DatabaseSync } from 'node:sqlite';
import type { Operations } from './operations.ts';
import { storeFailure, type StoreAnswer, type StoreCall } from './thread-messages.ts';

/**
 * Answers every call in its order, once all that succeeded are on disk. One that fails leaves nothing behind and does
 * not touch the others; when the commit itself fails, all of them fail and nothing is changed.
 */
export function commitTogether(
  database: DatabaseSync,
  operations: Operations,
  calls: readonly StoreCall[],
): readonly StoreAnswer[] {
  try {
    database.exec('BEGIN IMMEDIATE');
    const answers = calls.map((call) => runAlone(database, operations, call));
    database.exec('COMMIT');
    return answers;
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    return calls.map(({ id }) => ({ id, kind: 'failed', failure: storeFailure(cause) }));
  }
}

function runAlone(database: DatabaseSync, operations: Operations, call: StoreCall): StoreAnswer {
  const { id } = call;
  database.exec('SAVEPOINT alone');
  try {
    const result = run(operations, call);
    database.exec('RELEASE alone');
    return { id, kind: 'done', result };
  } catch (cause) {
    // A full disk or a failed write can end the whole transaction (https://sqlite.org/lang_transaction.html §3.2).
    if (!database.isTransaction) throw cause;
    database.exec('ROLLBACK TO alone');
    database.exec('RELEASE alone');
    return { id, kind: 'failed', failure: storeFailure(cause) };
  }
}

function run(operations: Operations, { operation, given }: StoreCall): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Call` bound name and arguments; the crossing lost it
  const act = operations[operation] as (...given: readonly unknown[]) => unknown;
  return act(...given);
}
