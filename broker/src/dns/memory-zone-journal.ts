/** A journal that forgets with the process, for the tests of this folder. It fails and waits when told to. Not part of the product. */
import type { ZoneJournal, ZonePage, ZoneRecord } from './zone-journal.ts';

export class MemoryZoneJournal implements ZoneJournal {
  readonly #zones = new Map<string, { serial: number; records: readonly ZoneRecord[] }>();
  /** Thrown by the next call. */
  nextError: Error | undefined;
  /** Awaited by every change before it is stored. */
  gate: Promise<unknown> = Promise.resolve();

  async change(apex: string, change: { readonly add: readonly ZoneRecord[]; readonly remove: readonly ZoneRecord[] }) {
    await this.#begin();
    const { records } = this.#zone(apex);
    const kept = records.filter((record) => !includes(change.remove, record));
    return this.#store(apex, [...kept, ...change.add.filter((record) => !includes(kept, record))]);
  }

  async replace(
    apex: string,
    owner: string,
    types: readonly ZoneRecord['type'][],
    records: readonly ZoneRecord[],
  ): Promise<number> {
    await this.#begin();
    const kept = this.#zone(apex).records.filter((record) => record.owner !== owner || !types.includes(record.type));
    return this.#store(apex, [...kept, ...records]);
  }

  async touch(apex: string): Promise<number> {
    await this.#begin();
    const { serial, records } = this.#zone(apex);
    this.#zones.set(apex, { serial: serial + 1, records });
    return serial + 1;
  }

  async load(apex: string, types?: readonly ZoneRecord['type'][]) {
    this.#failIfTold();
    const { serial, records } = this.#zone(apex);
    return { serial, records: records.filter(({ type }) => types?.includes(type) ?? true) };
  }

  /** One owner a page. */
  async page(apex: string, after: string): Promise<ZonePage> {
    this.#failIfTold();
    const { records } = this.#zone(apex);
    const owners = [...new Set(records.map(({ owner }) => owner))].filter((owner) => owner > after).toSorted();
    const [first, second] = owners;
    const here = records.filter(({ owner }) => owner === first);
    return { records: JSON.stringify(here), next: second === undefined ? undefined : first };
  }

  async #begin(): Promise<void> {
    this.#failIfTold();
    await this.gate;
  }

  #failIfTold(): void {
    const error = this.nextError;
    this.nextError = undefined;
    if (error !== undefined) throw error;
  }

  #zone(apex: string): { readonly serial: number; readonly records: readonly ZoneRecord[] } {
    const zone = this.#zones.get(apex) ?? { serial: 1, records: [] };
    this.#zones.set(apex, zone);
    return zone;
  }

  #store(apex: string, records: readonly ZoneRecord[]): number {
    const before = this.#zone(apex);
    const isSame =
      records.length === before.records.length && records.every((record) => includes(before.records, record));
    const serial = isSame ? before.serial : (before.serial + 1) >>> 0;
    this.#zones.set(apex, { serial, records });
    return serial;
  }
}

function includes(records: readonly ZoneRecord[], wanted: ZoneRecord): boolean {
  return records.some(
    ({ owner, type, data }) => owner === wanted.owner && type === wanted.type && data === wanted.data,
  );
}
