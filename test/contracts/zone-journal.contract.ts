/** What every zone journal must do, whatever it keeps records in. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ZoneJournal, ZoneRecord } from '../../broker/src/dns/zone-journal.ts';

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
