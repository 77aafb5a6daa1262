import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
