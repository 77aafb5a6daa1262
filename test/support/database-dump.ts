/** Everything that the broker's database holds, to be compared before and after. */
import { DatabaseSync } from 'node:sqlite';

/** Table → rows in a fixed order, each as JSON; reads beside a running broker. */
export function dumpDatabase(path: string): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    const rowsOf = (table: string): readonly string[] =>
      database
        .prepare(`SELECT * FROM "${table}"`)
        .all()
        .map((row) => JSON.stringify(row, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value)))
        .toSorted();
    return Object.fromEntries(tables.map(({ name }) => [String(name), rowsOf(String(name))]));
  } finally {
    database.close();
  }
}
