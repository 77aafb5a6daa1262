/** A look at the database without changing it, also while a broker writes to it. */
import { DatabaseSync } from 'node:sqlite';
import { describeError } from '@lanyard/sdk/kernel';
import { APPLICATION_ID } from './sqlite-database.ts';
import { MIGRATIONS } from './schema.ts';

/** One fault is enough to know. */
const MOST_FAULTS = 1;

/** What is wrong with it; empty: nothing. Reads the whole file, and blocks meanwhile. */
export function inspectDatabase(path: string): readonly string[] {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const value = (pragma: string): unknown => Object.values(database?.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
    if (value('application_id') !== APPLICATION_ID) return ['it belongs to another program'];
    const schema = Number(value('user_version'));
    if (schema > MIGRATIONS.length) return [`a newer version of Lanyard wrote it (schema ${schema})`];
    const verdict = String(value(`quick_check(${MOST_FAULTS})`));
    return verdict === 'ok' ? [] : [verdict.replaceAll(/\s+/g, ' ')];
  } catch (error) {
    return [describeError(error)];
  } finally {
    database?.close();
  }
}
