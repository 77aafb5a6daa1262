import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspectDatabase } from './inspect-database.ts';
import { openDatabase } from './sqlite-database.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-inspect-'));
  path = join(directory, 'lanyard.sqlite');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('a sound one, open or closed', () => {
  const database = openDatabase(path);
  expect(inspectDatabase(path)).toEqual([]);
  database.close();
  expect(inspectDatabase(path)).toEqual([]);
});

test('one of a newer version', () => {
  const database = openDatabase(path);
  database.exec('PRAGMA user_version = 9999');
  database.close();
  expect(inspectDatabase(path)).toEqual(['a newer version of Lanyard wrote it (schema 9999)']);
});

test('somebody else’s', () => {
  new DatabaseSync(path).exec('CREATE TABLE t (a)');
  expect(inspectDatabase(path)).toEqual(['it belongs to another program']);
});

test('a damaged one', async () => {
  const database = openDatabase(path);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const file = await open(path, 'r+');
  // Some pages behind the first, which has the schema.
  await file.write(Buffer.alloc(8_192, 0xa5), 0, 8_192, 8_192);
  await file.close();
  expect(inspectDatabase(path)).toHaveLength(1);
});

test('none, or something else', async () => {
  expect(inspectDatabase(path)).toHaveLength(1);
  await writeFile(path, 'hello, I am no database at all; '.repeat(100));
  expect(inspectDatabase(path)).toHaveLength(1);
});
