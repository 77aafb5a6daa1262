/** Runs many operations for the price of one flush to disk, and yet each as a transaction of its own. */
import type { DatabaseSync } from 'node:sqlite';
import type { OperationName, Operations } from './operations.ts';
import { storeFailure, type StoreAnswer, type StoreCall } from './thread-messages.ts';

/** What changes nothing needs no transaction: there is one connection, and it runs one operation after the other. */
const READS: ReadonlySet<OperationName> = new Set([
  'orders.openOrders',
  'orders.dossier',
  'orders.chain',
  'orders.toLookUp',
  'orders.nextLookUpMs',
  'orders.levels',
  'refusedKeys.has',
  'refusedKeys.list',
  'appliances.find',
  'appliances.list',
  'appliances.count',
  'appliances.addressHistory',
  'zones.page',
]);

/**
 * Answers every call in its order, once all that succeeded are on disk. One that fails leaves nothing behind and does
 * not touch the others; when the commit itself fails, all of them fail and nothing is changed.
 */
export type CommitTogether = (calls: readonly StoreCall[]) => readonly StoreAnswer[];

export function committerOn(database: DatabaseSync, operations: Operations): CommitTogether {
  // Prepared once: parsing them anew would cost as much as a small operation.
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const protect = database.prepare('SAVEPOINT alone');
  const release = database.prepare('RELEASE alone');

  const runBare = (call: StoreCall): StoreAnswer => {
    try {
      return { id: call.id, kind: 'done', result: run(operations, call) };
    } catch (cause) {
      return { id: call.id, kind: 'failed', failure: storeFailure(cause) };
    }
  };

  const runAlone = (call: StoreCall): StoreAnswer => {
    protect.run();
    try {
      const result = run(operations, call);
      release.run();
      return { id: call.id, kind: 'done', result };
    } catch (cause) {
      // A full disk or a failed write can end the whole transaction (https://sqlite.org/lang_transaction.html §3.2).
      if (!database.isTransaction) throw cause;
      database.exec('ROLLBACK TO alone');
      release.run();
      return { id: call.id, kind: 'failed', failure: storeFailure(cause) };
    }
  };

  return (calls) => {
    if (calls.every(({ operation }) => READS.has(operation))) return calls.map(runBare);
    const [first, ...others] = calls;
    const only = others.length === 0 ? first : undefined;
    if (only && isOneStatement(only)) return [runBare(only)];
    try {
      begin.run();
      // Of one call there is nothing to protect from the others.
      const answers = only
        ? [{ id: only.id, kind: 'done', result: run(operations, only) } as const]
        : calls.map(runAlone);
      commit.run();
      return answers;
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK');
      return calls.map(({ id }) => ({ id, kind: 'failed', failure: storeFailure(cause) }));
    }
  };
}

/**
 * Writes rows with at most one statement, which is a transaction by itself (https://sqlite.org/lang_transaction.html): most
 * steps of an order are this, and a begin and a commit around it would cost as much again as the write.
 */
function isOneStatement({ operation, given: [, changes] }: StoreCall): boolean {
  if (operation === 'orders.noteRenewal') return true;
  return operation === 'orders.save' && (changes === undefined || (Array.isArray(changes) && changes.length === 0));
}

function run(operations: Operations, { operation, given }: StoreCall): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Call` bound name and arguments; the crossing lost it
  const act = operations[operation] as (...given: readonly unknown[]) => unknown;
  return act(...given);
}
