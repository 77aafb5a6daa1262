/** Opens the database file: private, durable, and at the schema that this version knows. */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import { MIGRATIONS } from './schema.ts';

/** Marks the file as ours in its header: "Lnyd". */
export const APPLICATION_ID = 0x4c6e7964;

/** A backup or a person's sqlite3 shell may hold the lock for a moment; longer is reported. */
const BUSY_TIMEOUT_MS = 5_000;

/** The log is cut back to this after a checkpoint, so that one burst does not hold disk space for ever. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * @param path of the file, made if need be; `:memory:` for one that nobody sees and nothing keeps.
 * @throws LanyardError `store-failed` when it cannot be opened, is not ours or was written by a newer version.
 */
export function openDatabase(path: string, migrations: readonly string[] = MIGRATIONS): DatabaseSync {
  refuseOldSqlite(process.versions.sqlite ?? '0');
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') makePrivate(path);
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    refuseForeignFile(database);
    configure(database);
    migrate(database, migrations);
    return database;
  } catch (cause) {
    database?.close();
    if (LanyardError.is(cause)) throw cause;
    throw new LanyardError('store-failed', { message: `the database ${path} cannot be opened`, cause });
  }
}

/** SQLite 3.7.0 to 3.51.2 can corrupt the log when two connections share a file (https://sqlite.org/wal.html §11). */
function refuseOldSqlite(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major * 1_000_000 + minor * 1_000 + patch < 3_051_003) {
    throw new LanyardError('node-too-old', { message: `this Node bundles SQLite ${version}; 3.51.3 is the least` });
  }
}

/** Certificates' requests and the map of a vendor's fleet: for nobody else's eyes. SQLite gives its log the same mode. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    closeSync(openSync(path, 'a', 0o600));
    // The name of a new file survives a power cut only once its folder is on disk.
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
  chmodSync(path, 0o600);
}

function refuseForeignFile(database: DatabaseSync): void {
  const id = pragma(database, 'application_id');
  const tables = Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
  if (id === APPLICATION_ID || tables === 0) return;
  throw new LanyardError('store-failed', { message: 'the database file belongs to another program' });
}

function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0;
    PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES};
    PRAGMA trusted_schema = OFF;
  `);
  // A file system without shared memory silently stays with another journal, and its promises are others.
  const mode = String(database.prepare('PRAGMA journal_mode').get()?.['journal_mode']);
  if (mode !== 'wal' && mode !== 'memory') {
    throw new LanyardError('store-failed', { message: `the database cannot use a write-ahead log here (${mode})` });
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  const found = pragma(database, 'user_version');
  if (found > migrations.length) {
    const message = `the database has schema ${found}, written by a newer Lanyard; this one knows ${migrations.length}`;
    throw new LanyardError('store-failed', { message, details: { found, known: migrations.length } });
  }
  for (let version = found; version < migrations.length; version++) {
    migrateOnce(database, version, migrations[version] ?? '');
  }
}

function migrateOnce(database: DatabaseSync, from: number, migration: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster while this one waited for the lock.
    if (pragma(database, 'user_version') === from) {
      database.exec(migration);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${from + 1}`);
    }
    database.exec('COMMIT');
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw new LanyardError('store-failed', { message: `migration to schema ${from + 1} failed`, cause });
  }
}

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
