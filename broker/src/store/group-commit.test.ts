import { StatementSync, type DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BucketChange } from '../certificates/budget/bucket.ts';
import type { Order } from '../certificates/order.ts';
import { committerOn, type CommitTogether } from './group-commit.ts';
import { operationsOn, type OperationName } from './operations.ts';
import { openDatabase } from './sqlite-database.ts';

const APEX = 'devices.example.com';

let database: DatabaseSync;
let commitTogether: CommitTogether;

beforeEach(() => {
  database = openDatabase(':memory:');
  commitTogether = committerOn(database, operationsOn(database));
});

afterEach(() => database.close());

function record(value: unknown) {
  return { owner: APEX, type: 'TXT', data: value };
}

function add(id: number, value: unknown) {
  return { id, operation: 'zones.change', given: [APEX, { add: [record(value)], remove: [] }] } as const;
}

function values(): readonly unknown[] {
  return database
    .prepare('SELECT data FROM zone_records ORDER BY data')
    .all()
    .map(({ data }) => data);
}

test('calls are answered in their order, each seeing what those before it did', () => {
  const answers = commitTogether([add(7, 'a'), add(5, 'a'), add(6, 'b')]);
  expect(answers).toEqual([
    { id: 7, kind: 'done', result: 2 },
    { id: 5, kind: 'done', result: 2 },
    { id: 6, kind: 'done', result: 3 },
  ]);
});

test('a call that fails leaves nothing and takes no other with it', () => {
  const answers = commitTogether([add(1, 'a'), add(2, { no: 'text' }), add(3, 'b')]);
  expect(answers.map(({ kind }) => kind)).toEqual(['done', 'failed', 'done']);
  expect(answers[1]).toMatchObject({ failure: { code: 'store-failed' } });
  expect(values()).toEqual(['a', 'b']);
});

test('a call for an operation that does not exist fails like any other', () => {
  // @ts-expect-error -- no build contains such a call
  const unknown: OperationName = 'zones.burn';
  const answers = commitTogether([{ id: 1, operation: unknown, given: [] }, add(2, 'a')]);
  expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'done']);
});

test('when the commit fails every call fails and nothing is changed', () => {
  database.exec(`
    CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY) STRICT;
    CREATE TEMP TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
    CREATE TEMP TRIGGER orphan AFTER INSERT ON zone_records BEGIN INSERT INTO children VALUES (1); END;`);
  const answers = commitTogether([add(1, 'a'), add(2, 'b')]);
  expect(answers.map(({ id, kind }) => [id, kind])).toEqual([
    [1, 'failed'],
    [2, 'failed'],
  ]);
  expect(values()).toEqual([]);
  expect(database.isTransaction).toBe(false);
});

test('when one call ends the whole transaction every call fails and nothing is changed', () => {
  database.exec(`
    CREATE TEMP TRIGGER disk_full BEFORE INSERT ON zone_records WHEN NEW.data = 'last'
      BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END;`);
  const answers = commitTogether([add(1, 'a'), add(2, 'last'), add(3, 'b')]);
  expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'failed']);
  expect(values()).toEqual([]);
  expect(commitTogether([add(4, 'c')])).toEqual([{ id: 4, kind: 'done', result: 2 }]);
});

test('of one call alone, too, nothing is left when it fails', () => {
  const answers = commitTogether([{ ...add(1, 'a'), given: [APEX, { add: [record('a'), record({})], remove: [] }] }]);
  expect(answers).toMatchObject([{ id: 1, kind: 'failed', failure: { code: 'store-failed' } }]);
  expect(values()).toEqual([]);
  expect(database.isTransaction).toBe(false);
});

test('a question that cannot be answered fails alone', () => {
  const lost = { id: 1, operation: 'appliances.find', given: [Symbol('no value')] } as const;
  const answers = commitTogether([lost, { id: 2, operation: 'appliances.count', given: [] }]);
  expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'done']);
});

describe('a step of an order', () => {
  const order: Order = {
    id: 'order-1',
    deviceId: 'appliance-1',
    names: ['a.devices.example.com'],
    keyHash: 'key-1',
    csr: Uint8Array.of(1),
    requestedAtMs: 1,
    failures: 0,
    state: { kind: 'ordering', notBeforeMs: 2, tries: 1 },
  };
  const bucket = { authority: 'ca', limit: 'new-orders', subject: '' } as const;
  const spend: BucketChange = { kind: 'spend', bucket, limit: { burst: 1, periodMs: 1_000 }, atMs: 3 };
  const save = (id: number, ...changes: readonly (readonly BucketChange[])[]) =>
    ({ id, operation: 'orders.save', given: [order, ...changes] }) as const;
  const untouched = { kinds: ['waiting'], levels: [] };

  beforeEach(() => {
    const { state: _later, failures: _none, id: orderId, ...request } = order;
    commitTogether([{ id: 0, operation: 'orders.accept', given: [{ ...request, orderId }] }]);
  });

  test('is stored with what it spends', () => {
    expect(commitTogether([save(1, [spend])])).toEqual([{ id: 1, kind: 'done', result: true }]);
    expect(stored()).toEqual({ kinds: ['ordering'], levels: [1_003] });
  });

  test('is not stored when what it spends cannot be, alone or among others', () => {
    database.exec("CREATE TEMP TRIGGER full BEFORE INSERT ON buckets BEGIN SELECT RAISE(ABORT, 'no'); END;");
    expect(commitTogether([save(1, [spend])])).toMatchObject([{ id: 1, kind: 'failed' }]);
    expect(stored()).toEqual(untouched);
    const answers = commitTogether([save(2, [spend]), add(3, 'a')]);
    expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'done']);
    expect(stored()).toEqual(untouched);
  });

  test('that spends nothing is stored alone, and without a transaction around it', () => {
    const begun = spyOnBegin();
    expect(commitTogether([save(1)])).toEqual([{ id: 1, kind: 'done', result: true }]);
    expect(commitTogether([save(2, [])])).toEqual([{ id: 2, kind: 'done', result: true }]);
    expect(begun()).toBe(0);
    expect(stored()).toEqual({ kinds: ['ordering'], levels: [] });
    commitTogether([save(3, [spend])]);
    expect(begun()).toBe(1);
  });

  test('that spends nothing leaves nothing when it cannot be committed', () => {
    database.exec(`
      CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY) STRICT;
      CREATE TEMP TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
      CREATE TEMP TRIGGER orphan AFTER UPDATE ON orders BEGIN INSERT INTO children VALUES (1); END;`);
    expect(commitTogether([save(1)])).toMatchObject([{ id: 1, kind: 'failed', failure: { code: 'store-failed' } }]);
    expect(stored()).toEqual(untouched);
    expect(database.isTransaction).toBe(false);
  });

  test('of an order that is not there fails, and the next is not hindered', () => {
    const strange = { id: 1, operation: 'orders.save', given: [{ ...order, id: 'order-2' }] } as const;
    expect(commitTogether([strange])).toMatchObject([{ id: 1, kind: 'failed' }]);
    expect(commitTogether([save(2)])).toEqual([{ id: 2, kind: 'done', result: true }]);
  });
});

function stored(): unknown {
  const kinds = database.prepare('SELECT kind FROM orders').all();
  const levels = database.prepare('SELECT full_at_ms FROM buckets').all();
  return { kinds: kinds.map(({ kind }) => kind), levels: levels.map((row) => row['full_at_ms']) };
}

/** Replaces the committer by one whose transactions are counted. */
function spyOnBegin(): () => number {
  const prepared = vi.spyOn(database, 'prepare');
  commitTogether = committerOn(database, operationsOn(database));
  const at = prepared.mock.calls.findIndex(([sql]) => sql === 'BEGIN IMMEDIATE');
  const begin: unknown = prepared.mock.results[at]?.value;
  if (!(begin instanceof StatementSync)) throw new Error('no transaction is ever begun');
  prepared.mockRestore();
  const run = vi.spyOn(begin, 'run');
  return () => run.mock.calls.length;
}
