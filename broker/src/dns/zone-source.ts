/** A zone on its way from the journal to where it is served: page by page, so that it is nowhere in one piece. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { ServedZone, type ZoneOutline } from './served-zone.ts';
import type { ZoneJournal, ZoneRecord } from './zone-journal.ts';

export interface ZoneSource extends ZoneOutline {
  /** As the journal has them, for `recordsOnPage`. */
  readonly pages: AsyncIterable<string>;
}

/** All of a zone's pages. The next one is read while the one before is worked on. */
export async function* pagesOf(journal: ZoneJournal, apex: string): AsyncGenerator<string> {
  let coming = journal.page(apex, '');
  for (;;) {
    const { records, next } = await coming;
    if (next !== undefined) {
      coming = journal.page(apex, next);
      // Whoever works on this page may give up, and then nobody asks how the next one went.
      coming.catch(() => {});
    }
    yield records;
    if (next === undefined) return;
  }
}

/** @throws LanyardError `store-failed` when the page is none. */
export function recordsOnPage(page: string): readonly ZoneRecord[] {
  const records: unknown = JSON.parse(page);
  if (isListOfRecords(records)) return records;
  throw new LanyardError('store-failed', { message: 'the journal gave something else than records' });
}

/** Builds the zone here and now, where no thread serves it. */
export async function buildZone(source: ZoneSource, onMisfit: (record: ZoneRecord) => void): Promise<ServedZone> {
  const zone = new ServedZone({ ...source, records: [] }, onMisfit);
  for await (const page of source.pages) zone.fill(recordsOnPage(page), onMisfit);
  return zone;
}

/** By hand, because a schema library would take as long as building the zone; whether type and data fit is seen there. */
function isListOfRecords(value: unknown): value is readonly ZoneRecord[] {
  return Array.isArray(value) && value.every(isRecord);
}

function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!('owner' in value && 'type' in value && 'data' in value)) return false;
  return typeof value.owner === 'string' && typeof value.type === 'string' && typeof value.data === 'string';
}
