/** A zone in pages of JSON that SQLite writes itself: a million records never become objects in this thread. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** Some sixty kilobytes, which take a millisecond or two to read and as long to build in the DNS thread. */
const RECORDS_ON_PAGE = 1_024;
/** Every text sorts before every blob (https://sqlite.org/datatype3.html §4.1). */
const BEYOND_ALL_OWNERS = new Uint8Array();

export function zonePages(database: DatabaseSync) {
  const lastOwner = database.prepare(
    'SELECT owner FROM zone_records WHERE apex = ? AND owner > ? ORDER BY owner LIMIT 1 OFFSET ?',
  );
  const records = database.prepare(
    `SELECT json_group_array(json_object('owner', owner, 'type', type, 'data', data)) AS records
     FROM zone_records WHERE apex = ? AND owner > ? AND owner <= ?`,
  );
  /** Owners are never torn apart. */
  return (apex: string, after: string): { readonly records: string; readonly next: string | undefined } => {
    const next = OWNER_ROW.parse(lastOwner.get(apex, after, RECORDS_ON_PAGE - 1))?.owner;
    return { ...PAGE_ROW.parse(records.get(apex, after, next ?? BEYOND_ALL_OWNERS)), next };
  };
}

const OWNER_ROW = z.object({ owner: z.string() }).optional();
const PAGE_ROW = z.object({ records: z.string() });
