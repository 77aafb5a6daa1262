import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS } from './schema.ts';
import { openDatabase } from './sqlite-database.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lanyard-database-'));
  path = join(folder, 'data', 'lanyard.sqlite');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function planOf(database: DatabaseSync, sql: string): string {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
  return steps.map(({ detail }) => String(detail)).join('; ');
}

describe('a new database', () => {
  test('can be read by its owner only, and so can its log', () => {
    using database = openDatabase(path);
    database.exec("INSERT INTO zones (apex, serial) VALUES ('a', 1)");
    const modes = [join(folder, 'data'), path, `${path}-wal`, `${path}-shm`].map((each) => statSync(each).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
  });

  test('flushes every commit, keeps references and maps no memory', () => {
    using database = openDatabase(path);
    const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'user_version'].map((name) =>
      pragma(database, name),
    );
    const FULL = 2;
    expect(settings).toEqual(['wal', FULL, 1, 5_000, MIGRATIONS.length]);
    // A build of SQLite that cannot map memory does not answer at all.
    expect(pragma(database, 'mmap_size') ?? 0).toBe(0);
  });

  test('lives in memory when asked to', () => {
    using database = openDatabase(':memory:');
    expect(pragma(database, 'user_version')).toBe(MIGRATIONS.length);
  });

  test('holds tables that refuse values of other types', () => {
    using database = openDatabase(':memory:');
    const tables = database.prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").all();
    const lax = tables.filter(({ name, strict }) => strict === 0 && !String(name).startsWith('sqlite_'));
    expect(lax).toEqual([]);
  });

  test('never lets go of a label', () => {
    using database = openDatabase(':memory:');
    database.exec("INSERT INTO labels VALUES ('abc', 'appliance-1', 0)");
    expect(() => database.exec('DELETE FROM labels')).toThrow('never released');
    expect(() => database.exec("UPDATE labels SET device_id = 'appliance-2'")).toThrow('bound for ever');
    expect(() => database.exec("INSERT INTO labels VALUES ('ABC', 'appliance-2', 0)")).toThrow('UNIQUE');
  });

  test('finds open orders and newest certificates without reading the others', () => {
    using database = openDatabase(':memory:');
    expect(planOf(database, "SELECT csr FROM orders WHERE kind <> 'issued' ORDER BY requested_at_ms, id")).toMatch(
      /^SCAN orders USING INDEX orders_open_by_age$/,
    );
    expect(planOf(database, "SELECT csr FROM orders WHERE device_id = ? AND kind <> 'issued'")).toMatch(
      /^SEARCH orders USING INDEX orders_open_of_appliance \(device_id=\?\)$/,
    );
    expect(
      planOf(
        database,
        'SELECT serial FROM certificates WHERE device_id = ? ORDER BY issued_at_ms DESC, id DESC LIMIT 1',
      ),
    ).toMatch(/^SEARCH certificates USING INDEX certificates_newest \(device_id=\?\)$/);
  });

  test('finds what no appliance asked for without reading the others', () => {
    using database = openDatabase(':memory:');
    expect(
      planOf(
        database,
        'SELECT serial FROM certificates WHERE unattended_at_ms <= ? ORDER BY unattended_at_ms, id LIMIT ?',
      ),
    ).toMatch(/^SEARCH certificates USING INDEX certificates_unattended \(unattended_at_ms<\?\)$/);
    expect(
      planOf(
        database,
        'SELECT unattended_at_ms FROM certificates WHERE unattended_at_ms IS NOT NULL ORDER BY unattended_at_ms LIMIT 1',
      ),
    ).toMatch(/USING COVERING INDEX certificates_unattended[^;]*$/);
  });

  test('finds who holds a place, what is due and what is empty without reading the others', () => {
    using database = openDatabase(':memory:');
    expect(
      planOf(
        database,
        `SELECT count(*) FROM orders
         WHERE placement ->> '$.holds.authority' = ? AND placement ->> '$.holds.limit' = ?
           AND placement ->> '$.holds.subject' = ? AND id <> ?`,
      ),
    ).toBe('SEARCH orders USING COVERING INDEX orders_holding (<expr>=? AND <expr>=? AND <expr>=?)');
    expect(
      planOf(
        database,
        'SELECT serial FROM certificates WHERE authority = ? AND look_up_at_ms <= ? ORDER BY look_up_at_ms, id LIMIT ?',
      ),
    ).toMatch(/^SEARCH certificates USING INDEX certificates_to_look_up \(authority=\? AND look_up_at_ms<\?\)$/);
    expect(
      planOf(
        database,
        `SELECT look_up_at_ms FROM certificates WHERE authority = ? AND look_up_at_ms IS NOT NULL
         ORDER BY look_up_at_ms LIMIT 1`,
      ),
    ).toMatch(/USING COVERING INDEX certificates_to_look_up[^;]*$/);
    expect(
      planOf(
        database,
        'SELECT subject FROM buckets WHERE authority = ? AND full_at_ms > ? ORDER BY full_at_ms DESC LIMIT ?',
      ),
    ).toMatch(/^SEARCH buckets USING COVERING INDEX buckets_by_level \(authority=\? AND full_at_ms>\?\)$/);
  });
});

describe('an existing database', () => {
  test('that others could read is closed to them again', () => {
    openDatabase(path).close();
    chmodSync(path, 0o644);
    openDatabase(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is brought to the newest schema step by step, keeping what it holds', () => {
    openDatabase(path, ['CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)']).close();
    using database = openDatabase(path, ['fails if run again', 'ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 8']);
    expect({ ...database.prepare('SELECT * FROM a').get() }).toEqual({ x: 7, y: 8 });
    expect(pragma(database, 'user_version')).toBe(2);
  });

  test('of the time before the budget keeps its orders and certificates', () => {
    const before = openDatabase(path, MIGRATIONS.slice(0, 2));
    before.exec(`
      INSERT INTO orders (id, device_id, names, key_hash, csr, requested_at_ms, failures, state)
        VALUES ('order-1', 'appliance-1', '["a"]', 'key-1', x'', 1, 0, '{"kind":"issued","fingerprint":"f"}');
      INSERT INTO certificates (fingerprint, device_id, order_id, names, key_hash, serial,
        not_before_ms, not_after_ms, issued_at_ms, renew_at_ms)
        VALUES ('f', 'appliance-1', 'order-1', '["a"]', 'key-1', '01', 1, 9, 2, 5);`);
    before.close();
    using database = openDatabase(path);
    const newest = database.prepare('SELECT authority, window_start_ms, look_up_at_ms FROM certificates').get();
    expect({ ...newest }).toEqual({ authority: '', window_start_ms: null, look_up_at_ms: null });
    const order = database.prepare('SELECT kind, purpose, placement FROM orders').get();
    expect({ ...order }).toEqual({ kind: 'issued', purpose: null, placement: null });
  });

  test('is left as it was by a migration that fails in the middle', () => {
    const first = 'CREATE TABLE a (x INTEGER) STRICT';
    openDatabase(path, [first]).close();
    const broken = [first, 'CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)'];
    expect(() => openDatabase(path, broken)).toThrow(
      expect.objectContaining({ code: 'store-failed', message: 'migration to schema 2 failed' }),
    );
    using database = openDatabase(path, [first]);
    expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'b'").get()?.['n']).toBe(0);
  });

  test('of a newer version is refused and not touched', () => {
    openDatabase(path, [...MIGRATIONS, 'CREATE TABLE later (x INTEGER) STRICT']).close();
    expect(() => openDatabase(path)).toThrow(
      expect.objectContaining({
        code: 'store-failed',
        details: { found: MIGRATIONS.length + 1, known: MIGRATIONS.length },
      }),
    );
  });

  test('of another program is refused and not touched', () => {
    path = join(folder, 'other.sqlite');
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    const before = readFileSync(path);
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    expect(readFileSync(path)).toEqual(before);
  });

  test('that is no database is refused and not touched', () => {
    path = join(folder, 'letter.txt');
    writeFileSync(path, 'Dear Sir or Madam, '.repeat(100));
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    expect(readFileSync(path, 'utf8')).toMatch(/^Dear Sir/);
  });

  test('in a place that cannot be is refused', () => {
    writeFileSync(join(folder, 'data'), 'a file where a folder should be');
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'store-failed' }));
  });
});
