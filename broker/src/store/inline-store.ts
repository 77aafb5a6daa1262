/** The store in the calling thread: for tests, and for a simulation that must run the same way every time. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import { committerOn, type CommitTogether } from './group-commit.ts';
import { operationsOn, type Operations } from './operations.ts';
import { openDatabase } from './sqlite-database.ts';
import { storePorts, type StorePorts } from './store-ports.ts';
import { errorOf, type StoreCall } from './thread-messages.ts';

export interface InlineStore extends StorePorts {
  close(): void;
}

/** @param path of the database file, or `:memory:`. @throws LanyardError `store-failed`. */
export function openInlineStore(path: string): InlineStore {
  const database = openDatabase(path);
  const commitTogether = committerOn(database, operationsOn(database));
  return {
    ...storePorts(async (operation, ...given) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table that names it says what it answers
      return runNow(database, commitTogether, { id: 0, operation, given }) as ReturnType<Operations[typeof operation]>;
    }),
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function runNow(database: DatabaseSync, commitTogether: CommitTogether, call: StoreCall): unknown {
  if (!database.isOpen) throw new LanyardError('stopped', { message: 'the store is closed' });
  const [answer] = commitTogether([call]);
  if (answer?.kind === 'done') return answer.result;
  throw answer ? errorOf(answer.failure) : new LanyardError('internal');
}
