/** What every zone journal must do, whatever it keeps records in. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ZoneJournal, ZonePage, ZoneRecord } from '../../broker/src/dns/zone-journal.ts';

const APEX = 'devices.example.com';

export interface ZoneJournalUnderTest {
  readonly zones: ZoneJournal;
  /** The same medium after a restart of the process. */
  reopen(): Promise<ZoneJournal>;
  /** Sets the serial of a zone behind the journal's back. */
  setSerial(apex: string, serial: number): Promise<void>;
}

function text(label: string, data: string): ZoneRecord {
  return { owner: `_acme-challenge.${label}.${APEX}`, type: 'TXT', data };
}

function address(label: string, data: string): ZoneRecord {
  return { owner: `${label}.${APEX}`, type: data.includes(':') ? 'AAAA' : 'A', data };
}

async function pagesOf(journal: ZoneJournal, apex: string): Promise<readonly (readonly ZoneRecord[])[]> {
  const pages: (readonly ZoneRecord[])[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: ZonePage = await journal.page(apex, after);
    pages.push(JSON.parse(page.records));
    after = page.next;
  }
  return pages;
}

function identityOf({ owner, type, data }: ZoneRecord): string {
  return `${owner} ${type} ${data}`;
}

export function zoneJournalContract(name: string, make: () => Promise<ZoneJournalUnderTest>): void {
  describe(`zones in ${name}`, () => {
    let subject: ZoneJournalUnderTest;
    let journal: ZoneJournal;

    beforeEach(async () => {
      subject = await make();
      journal = subject.zones;
    });

    test('a new zone is empty and begins with serial 1', async () => {
      expect(await journal.load(APEX)).toEqual({ serial: 1, records: [] });
      journal = await subject.reopen();
      expect(await journal.load(APEX)).toEqual({ serial: 1, records: [] });
    });

    test('a change is there after a restart, under the serial that was answered', async () => {
      const records = [address('a', '10.0.0.1'), text('a', 'v1'), text('a', 'v2')];
      expect(await journal.change(APEX, { add: records, remove: [] })).toBe(2);
      journal = await subject.reopen();
      const loaded = await journal.load(APEX);
      expect(loaded.serial).toBe(2);
      expect(new Set(loaded.records)).toEqual(new Set(records));
    });

    test('a touch gives a new serial and leaves the records, also where the zone is new', async () => {
      expect(await journal.touch(APEX)).toBe(2);
      await journal.change(APEX, { add: [text('a', 'v1')], remove: [] });
      expect(await journal.touch(APEX)).toBe(4);
      journal = await subject.reopen();
      expect(await journal.load(APEX)).toEqual({ serial: 4, records: [text('a', 'v1')] });
    });

    test('records of every type and any text come back as they were', async () => {
      const caa: ZoneRecord = { owner: APEX, type: 'CAA', data: '0 issue "ca.example; accounturi=https://ca/1"' };
      const records = [address('a', 'fd00::1'), caa, text('a', ' two  spaces, “quotes” and \u0000 a zero ')];
      await journal.change(APEX, { add: records, remove: [] });
      expect(new Set((await journal.load(APEX)).records)).toEqual(new Set(records));
    });

    test('a change that changes nothing keeps the serial', async () => {
      const record = text('a', 'v1');
      expect(await journal.change(APEX, { add: [record], remove: [] })).toBe(2);
      expect(await journal.change(APEX, { add: [record, record], remove: [] })).toBe(2);
      expect(await journal.change(APEX, { add: [], remove: [text('a', 'other')] })).toBe(2);
      expect(await journal.change(APEX, { add: [record], remove: [record] })).toBe(2);
      expect(await journal.change(APEX, { add: [], remove: [] })).toBe(2);
      expect((await journal.load(APEX)).records).toEqual([record]);
    });

    test('one value of a set is taken out and the others stay', async () => {
      await journal.change(APEX, { add: [text('a', 'v1'), text('a', 'v2'), address('a', '10.0.0.1')], remove: [] });
      expect(await journal.change(APEX, { add: [], remove: [text('a', 'v1')] })).toBe(3);
      const { records } = await journal.load(APEX);
      expect(new Set(records)).toEqual(new Set([text('a', 'v2'), address('a', '10.0.0.1')]));
    });

    test('values that differ only in case are two', async () => {
      await journal.change(APEX, { add: [text('a', 'aBc'), text('a', 'AbC')], remove: [] });
      expect((await journal.load(APEX)).records).toHaveLength(2);
    });

    test('many changes in one step are one serial', async () => {
      const add = Array.from({ length: 100 }, (_, n) => text('a', `v${n}`));
      expect(await journal.change(APEX, { add, remove: [] })).toBe(2);
    });

    test('changes at once get serials of their own, and all of them are kept', async () => {
      const changes = Array.from({ length: 50 }, (_, n) =>
        journal.change(APEX, { add: [text('a', `v${n}`)], remove: [] }),
      );
      const serials = await Promise.all(changes);
      expect(new Set(serials).size).toBe(50);
      expect(await journal.load(APEX)).toMatchObject({ serial: Math.max(...serials) });
      expect((await journal.load(APEX)).records).toHaveLength(50);
    });

    test('a set is replaced as a whole, other types and owners stay', async () => {
      const others = [text('a', 'v1'), address('b', '10.0.0.9')];
      await journal.change(APEX, { add: [...others, address('a', '10.0.0.1'), address('a', 'fd00::1')], remove: [] });
      const owner = `a.${APEX}`;
      expect(await journal.replace(APEX, owner, ['A', 'AAAA'], [address('a', '10.0.0.2')])).toBe(3);
      const { records } = await journal.load(APEX);
      expect(new Set(records)).toEqual(new Set([...others, address('a', '10.0.0.2')]));
    });

    test('replacing a set by itself keeps the serial', async () => {
      const owner = `a.${APEX}`;
      const records = [address('a', '10.0.0.1'), address('a', '10.0.0.2')];
      expect(await journal.replace(APEX, owner, ['A', 'AAAA'], records)).toBe(2);
      expect(await journal.replace(APEX, owner, ['A', 'AAAA'], records.toReversed())).toBe(2);
      expect(await journal.replace(APEX, owner, ['A'], [])).toBe(3);
      expect(await journal.replace(APEX, owner, ['A'], [])).toBe(3);
    });

    test('records of another owner or type cannot slip in with a replacement', async () => {
      await journal.change(APEX, { add: [address('b', '10.0.0.1')], remove: [] });
      const owner = `a.${APEX}`;
      const foreign = [address('a', '10.0.0.2'), address('b', '10.0.0.3')];
      await expect(journal.replace(APEX, owner, ['A'], foreign)).rejects.toMatchObject({ code: 'store-failed' });
      const mixed = [address('a', '10.0.0.2'), address('a', 'fd00::1')];
      await expect(journal.replace(APEX, owner, ['A'], mixed)).rejects.toMatchObject({ code: 'store-failed' });
      expect(await journal.load(APEX)).toEqual({ serial: 2, records: [address('b', '10.0.0.1')] });
    });

    test('pages hold what the zone holds, and nobody’s set stands on two of them', async () => {
      const sets = Array.from({ length: 3_000 }, (_, n) => [
        text(`n${n}`, 'v1'),
        text(`n${n}`, `“v2” ${n} \u0000`),
        address(`n${n}`, 'fd00::1'),
      ]);
      const records = sets.flat();
      await journal.change(APEX, { add: records, remove: [] });
      await journal.change('other.org', { add: [address('a', '10.0.0.1')], remove: [] });
      const pages = await pagesOf(journal, APEX);
      expect(pages.flat()).toHaveLength(records.length);
      expect(new Set(pages.flat().map(identityOf))).toEqual(new Set(records.map(identityOf)));
      const owners = pages.flatMap((page) => [...new Set(page.map(({ owner }) => owner))]);
      expect(new Set(owners).size).toBe(owners.length);
      expect(await pagesOf(journal, 'nobody.org')).toEqual([[]]);
    });

    test('only the records of the types that are asked for come back', async () => {
      await journal.change(APEX, {
        add: [text('a', 'v1'), address('a', '10.0.0.1'), address('a', 'fd00::1')],
        remove: [],
      });
      expect((await journal.load(APEX, ['TXT'])).records).toEqual([text('a', 'v1')]);
      expect((await journal.load(APEX, ['TXT', 'A'])).records).toHaveLength(2);
      expect(await journal.load(APEX, [])).toEqual({ serial: 2, records: [] });
    });

    test('zones do not see each other', async () => {
      await journal.change(APEX, { add: [text('a', 'v1')], remove: [] });
      expect(await journal.load('other.org')).toEqual({ serial: 1, records: [] });
    });

    test('the serial goes round at the end of 32 bits and is never 0', async () => {
      await journal.load(APEX);
      await subject.setSerial(APEX, 0xffff_fffe);
      journal = await subject.reopen();
      expect(await journal.change(APEX, { add: [text('a', 'v1')], remove: [] })).toBe(0xffff_ffff);
      expect(await journal.change(APEX, { add: [text('a', 'v2')], remove: [] })).toBe(1);
      expect(await journal.change(APEX, { add: [text('a', 'v3')], remove: [] })).toBe(2);
    });

    test('a change that fails in the middle leaves no record and the serial as it was', async () => {
      await journal.change(APEX, { add: [text('a', 'v1')], remove: [] });
      const broken = { ...text('a', 'v3'), data: undefined };
      // @ts-expect-error -- what the compiler refuses, a defect elsewhere may still bring
      const change = journal.change(APEX, { add: [text('a', 'v2'), broken], remove: [text('a', 'v1')] });
      await expect(change).rejects.toMatchObject({ code: 'store-failed' });
      expect(await journal.load(APEX)).toEqual({ serial: 2, records: [text('a', 'v1')] });
    });
  });
}
