/** Entry of the thread that owns the database, so that a flush to disk never holds up the broker's main loop. */
import { parentPort, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import { committerOn, type CommitTogether } from './group-commit.ts';
import { operationsOn } from './operations.ts';
import { openDatabase } from './sqlite-database.ts';
import { storeFailure, type FromThread, type StoreCall, type ToThread } from './thread-messages.ts';

/** Bounds how long the first of a group waits for the last: about ten milliseconds of work. */
const MOST_IN_GROUP = 256;

if (!parentPort) throw new LanyardError('internal', { message: 'the store thread was started as a program' });
serve(parentPort);

function serve(port: MessagePort): void {
  const tell = (message: FromThread): void => port.postMessage(message);
  let open: { readonly database: DatabaseSync; readonly commitTogether: CommitTogether } | undefined;
  const commit = (calls: readonly StoreCall[]): void => {
    if (open && calls.length > 0) tell({ kind: 'answers', answers: open.commitTogether(calls) });
  };
  port.on('message', (first: ToThread) => {
    // While one group was being written the next one gathered: it is taken as it stands, without waiting for more.
    let calls: StoreCall[] = [];
    for (const message of inboxOf(port, first)) {
      if (message.kind === 'call') {
        calls.push(message);
        continue;
      }
      commit(calls);
      calls = [];
      if (message.kind === 'close') {
        open?.database.close();
        open = undefined;
        port.close();
        return;
      }
      try {
        const database = openDatabase(message.path);
        open = { database, commitTogether: committerOn(database, operationsOn(database)) };
        tell({ kind: 'opened' });
      } catch (cause) {
        tell({ kind: 'refused', failure: storeFailure(cause) });
      }
    }
    commit(calls);
  });
}

function* inboxOf(port: MessagePort, first: ToThread): Generator<ToThread> {
  yield first;
  for (let taken = 1; taken < MOST_IN_GROUP; taken++) {
    const received: { readonly message: ToThread } | undefined = receiveMessageOnPort(port);
    if (!received) return;
    yield received.message;
  }
}
