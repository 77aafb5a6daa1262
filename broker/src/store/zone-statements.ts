/** The zone journal's operations on an open database. Each runs inside a transaction that its caller opened. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Synchronous } from './synchronous.ts';
import { zonePages } from './zone-pages.ts';

/** As the DNS server needs it; declared here too, because adapters do not know each other. */
export interface ZoneJournal {
  /** Takes `remove` away, then adds `add`. Returns the serial after it, a new one when anything changed. */
  change(apex: string, change: ZoneChange): Promise<number>;
  /** Makes `records` the whole set of the given owner and types, same rules. */
  replace(
    apex: string,
    owner: string,
    types: readonly ZoneRecord['type'][],
    records: readonly ZoneRecord[],
  ): Promise<number>;
  /** Returns a new serial though nothing changed. */
  touch(apex: string): Promise<number>;
  /** The zone, only records of `types` if given; one that is not there yet begins with serial 1. */
  load(
    apex: string,
    types?: readonly ZoneRecord['type'][],
  ): Promise<{ readonly serial: number; readonly records: readonly ZoneRecord[] }>;
  /** The records of the owners behind `after`, some thousand of them, as JSON; `next` is undefined on the last page. */
  page(apex: string, after: string): Promise<{ readonly records: string; readonly next: string | undefined }>;
}

export interface ZoneRecord {
  readonly owner: string;
  readonly type: 'A' | 'AAAA' | 'TXT' | 'CAA';
  readonly data: string;
}

export interface ZoneChange {
  readonly add: readonly ZoneRecord[];
  readonly remove: readonly ZoneRecord[];
}

export function zoneStatements(database: DatabaseSync): Synchronous<ZoneJournal> {
  const zones = zoneTable(database);
  const apply = (apex: string, { add, remove }: ZoneChange): number => {
    const kept = new Set(add.map(identityOf));
    const serial = zones.serialOf(apex);
    let changes = 0;
    for (const record of remove) if (!kept.has(identityOf(record))) changes += zones.remove(apex, record);
    for (const record of add) changes += zones.add(apex, record);
    return changes === 0 ? serial : zones.bump(apex, serial);
  };
  return {
    change: apply,
    replace(apex, owner, types, records) {
      const stranger = records.find((record) => record.owner !== owner || !types.includes(record.type));
      if (stranger) {
        const message = `a ${stranger.type} record of ${stranger.owner} cannot replace ${types.join('/')} of ${owner}`;
        throw new LanyardError('store-failed', { message });
      }
      return apply(apex, { remove: types.flatMap((type) => zones.recordsAt(apex, owner, type)), add: records });
    },
    touch: (apex) => zones.bump(apex, zones.serialOf(apex)),
    load: (apex, types) => ({
      serial: zones.serialOf(apex),
      records: types ? types.flatMap((type) => zones.recordsOfType(apex, type)) : zones.recordsOf(apex),
    }),
    page: zonePages(database),
  };
}

/** Neither owner nor type contains a space. */
function identityOf({ owner, type, data }: ZoneRecord): string {
  return `${owner} ${type} ${data}`;
}

function zoneTable(database: DatabaseSync) {
  const create = database.prepare('INSERT INTO zones (apex, serial) VALUES (?, 1) ON CONFLICT (apex) DO NOTHING');
  const serialOf = database.prepare('SELECT serial FROM zones WHERE apex = ?');
  const bump = database.prepare('UPDATE zones SET serial = ? WHERE apex = ?');
  const add = database.prepare(
    'INSERT INTO zone_records (apex, owner, type, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const remove = database.prepare('DELETE FROM zone_records WHERE apex = ? AND owner = ? AND type = ? AND data = ?');
  const recordsOf = database.prepare(
    'SELECT owner, type, data FROM zone_records WHERE apex = ? ORDER BY owner, type, data',
  );
  const recordsOfType = database.prepare('SELECT owner, type, data FROM zone_records WHERE apex = ? AND type = ?');
  const recordsAt = database.prepare(
    'SELECT owner, type, data FROM zone_records WHERE apex = ? AND owner = ? AND type = ?',
  );
  return {
    serialOf(apex: string): number {
      const found = serialOf.get(apex);
      if (found) return Number(found['serial']);
      create.run(apex);
      return 1;
    },
    bump(apex: string, serial: number): number {
      const next = serialAfter(serial);
      bump.run(next, apex);
      return next;
    },
    add: (apex: string, { owner, type, data }: ZoneRecord) => Number(add.run(apex, owner, type, data).changes),
    remove: (apex: string, { owner, type, data }: ZoneRecord) => Number(remove.run(apex, owner, type, data).changes),
    recordsOf: (apex: string) => RECORD_ROWS.parse(recordsOf.all(apex)),
    recordsOfType: (apex: string, type: string) => RECORD_ROWS.parse(recordsOfType.all(apex, type)),
    recordsAt: (apex: string, owner: string, type: string) => RECORD_ROWS.parse(recordsAt.all(apex, owner, type)),
  };
}

const RECORD_ROWS = z.array(
  z.object({ owner: z.string(), type: z.enum(['A', 'AAAA', 'TXT', 'CAA']), data: z.string() }),
);

/** RFC 1982: 32 bits that go round. Zero is left out, because some servers read it as "no serial". */
function serialAfter(serial: number): number {
  return serial >= 0xffff_ffff ? 1 : serial + 1;
}
