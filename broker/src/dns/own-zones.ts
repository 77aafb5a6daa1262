/** The zones that Lanyard answers for itself: every change is stored first, then served, then acknowledged. */
import { LanyardError, type Clock, type Logger } from '@lanyard/sdk/kernel';
import type { ChallengeBoard, ChallengeRecord } from '../certificates/challenge-board.ts';
import type { AddressBoard } from '../fleet/address-board.ts';
import { formatCaa, parseCaa, type CaaRecord } from './caa-record.ts';
import { isWithin, parseDomainName } from './domain-name.ts';
import { addressRecord, encodeRecordData } from './record-data.ts';
import type { ZoneChange } from './served-zone.ts';
import type { ZoneJournal, ZoneRecord } from './zone-journal.ts';
import { checkZoneSettings, type ZoneSettings } from './zone-settings.ts';
import { pagesOf, type ZoneSource } from './zone-source.ts';

/** What is needed of the `DnsThread`. */
export interface ZoneServing {
  serve(zones: readonly ZoneSource[]): Promise<void>;
  apply(change: ZoneChange): Promise<void>;
}

/** What is needed of the `Secondaries`. */
export interface ServingBarrier {
  /** To be called after every change. */
  changed(apex: string): void;
  /** Resolves when every secondary serves `serial` or a later one. @throws LanyardError `dns-serving-failed`. */
  reached(apex: string, serial: number): Promise<void>;
}

export interface OwnZonesOptions {
  readonly journal: ZoneJournal;
  readonly thread: ZoneServing;
  readonly zones: readonly ZoneSettings[];
  /** Names whose texts, and those below, belong to somebody else: they are no challenge records of ours. */
  readonly guests?: readonly string[];
  /** Absent: nobody follows the zones. */
  readonly barrier?: ServingBarrier;
  readonly clock: Clock;
  readonly log: Logger;
}

/** More than the CA's limits and a whole site's change of addresses ask for at once. */
const MAX_WAITING = 10_000;
/** When the changes before have been stored and served. */
const RETRY_AFTER_MS = 10_000;

export class OwnZones implements ChallengeBoard, AddressBoard {
  readonly #options: OwnZonesOptions;
  /** Undefined until started. */
  #zones: readonly ZoneSettings[] | undefined;
  /** The last change under way of each name: two changes of one name must be served in the order they are stored. */
  readonly #tails = new Map<string, Promise<unknown>>();
  /** The addresses of names as they were last served, since this process began: what is unknown is served again. */
  readonly #published = new Map<string, string>();
  /** Names whose last change is perhaps stored and not served: their next one must have a serial of its own. */
  readonly #unserved = new Set<string>();
  #waiting = 0;

  constructor(options: OwnZonesOptions) {
    this.#options = options;
  }

  /** Loads every zone and serves it. @throws LanyardError `config-invalid`, or what journal and thread throw. */
  async start(): Promise<void> {
    const zones = this.#options.zones.map(checkZoneSettings);
    const apexes = new Set(zones.map((zone) => zone.apex));
    if (apexes.size < zones.length) throw new LanyardError('config-invalid', { message: 'a zone is configured twice' });
    const sources: ZoneSource[] = [];
    for (const zone of zones) sources.push(await this.#load(zone));
    await this.#options.thread.serve(sources);
    this.#zones = zones;
    for (const { apex } of zones) this.#options.barrier?.changed(apex);
  }

  async stop(): Promise<void> {
    this.#zones = undefined;
    this.#published.clear();
    await Promise.allSettled(this.#tails.values());
  }

  async put({ kind, name, value }: ChallengeRecord): Promise<void> {
    if (kind !== 'txt') throw refused(name, 'it is not for the DNS');
    const { apex, owner } = this.#place(name);
    const add = [checked({ owner, type: 'TXT', data: value })];
    const serial = await this.#change(apex, owner, { clear: [], remove: [], add }, (journal) =>
      journal.change(apex, { add, remove: [] }),
    );
    await this.#options.barrier?.reached(apex, serial);
  }

  async clear({ name, value }: ChallengeRecord): Promise<void> {
    const { apex, owner } = this.#place(name);
    const remove = [checked({ owner, type: 'TXT', data: value })];
    await this.#change(apex, owner, { clear: [], remove, add: [] }, (journal) =>
      journal.change(apex, { add: [], remove }),
    );
  }

  /** Looks through whole zones: for the start, not for every day. */
  async list(): Promise<readonly ChallengeRecord[]> {
    const { guests = [] } = this.#options;
    const isOurs = (owner: string): boolean => !guests.some((guest) => isWithin(owner, guest));
    const found: ChallengeRecord[] = [];
    for (const { apex } of this.#started()) {
      const { records } = await this.#options.journal.load(apex, ['TXT']);
      for (const { owner, data } of records) if (isOurs(owner)) found.push({ kind: 'txt', name: owner, value: data });
    }
    return found;
  }

  async publish(name: string, addresses: readonly string[]): Promise<void> {
    const { apex, owner } = this.#place(name);
    const add = withoutRepeats(addresses.map((address) => checkedAddress(owner, address)));
    const wanted = add.map(({ data }) => data).join();
    // Most hellos repeat the last one, and nobody else changes these sets.
    if (this.#published.get(owner) === wanted) return;
    this.#published.delete(owner);
    const types = ['A', 'AAAA'] as const;
    await this.#change(apex, owner, { clear: [{ owner, types }], remove: [], add }, (journal) =>
      journal.replace(apex, owner, types, add),
    );
    // Another change of the name may have been asked for meanwhile; it then comes after this one, and forgets this.
    if (!this.#tails.has(owner)) this.#published.set(owner, wanted);
  }

  /** Makes `texts` all that `name` says: for who counts them. What `put` puts up comes and goes by itself. */
  async setTexts(name: string, texts: readonly string[]): Promise<void> {
    const { apex, owner } = this.#place(name);
    const add = withoutRepeats(texts.map((data) => checked({ owner, type: 'TXT', data })));
    const types = ['TXT'] as const;
    const serial = await this.#change(apex, owner, { clear: [{ owner, types }], remove: [], add }, (journal) =>
      journal.replace(apex, owner, types, add),
    );
    if (add.length > 0) await this.#options.barrier?.reached(apex, serial);
  }

  /** Makes `records` the CAA set of the zone, now and after every restart, until it is called again. */
  async setCaa(apex: string, records: readonly CaaRecord[]): Promise<void> {
    const zone = this.#started().find((candidate) => candidate.apex === apex.toLowerCase());
    if (zone === undefined) throw refused(apex, 'it is not the apex of a configured zone');
    const owner = zone.apex;
    const add = caaRecords(owner, records);
    await this.#change(owner, owner, { clear: [{ owner, types: ['CAA'] }], remove: [], add }, (journal) =>
      journal.replace(owner, owner, ['CAA'], add),
    );
  }

  async #load(zone: ZoneSettings): Promise<ZoneSource> {
    const { journal, barrier } = this.#options;
    const { apex, soa, nameServers, caa } = zone;
    // The first call makes the zone, so that there is one to write to.
    let { serial } = await journal.load(apex, []);
    if (caa !== undefined) serial = await journal.replace(apex, apex, ['CAA'], caaRecords(apex, caa));
    // What was stored and not served before the last end may differ from what secondaries have under this serial.
    if (barrier !== undefined) serial = await journal.touch(apex);
    return { apex, soa, nameServers, serial, pages: pagesOf(journal, apex) };
  }

  #started(): readonly ZoneSettings[] {
    if (this.#zones === undefined) throw new LanyardError('stopped', { message: 'the DNS zones are not being served' });
    return this.#zones;
  }

  /** The zone that `name` belongs to, if an appliance may have it there. */
  #place(name: string): { readonly apex: string; readonly owner: string } {
    const owner = parseDomainName(name);
    if (owner === undefined) throw refused(name, 'it is no domain name');
    const around = this.#started().filter((zone) => isWithin(owner, zone.apex));
    const zone = around.toSorted((one, other) => other.apex.length - one.apex.length)[0];
    if (zone === undefined) throw refused(name, 'it is in none of the configured zones');
    const isZonesOwn = owner === zone.apex || zone.nameServers.some((server) => server.name === owner);
    if (isZonesOwn) throw refused(name, 'it belongs to the zone itself');
    return { apex: zone.apex, owner };
  }

  /**
   * Stores, then serves. A repetition stores nothing and is served again, so a failure in between heals.
   * @returns the serial that has the change.
   */
  async #change(
    apex: string,
    owner: string,
    change: Pick<ZoneChange, 'clear' | 'remove' | 'add'>,
    store: (journal: ZoneJournal) => Promise<number>,
  ): Promise<number> {
    const { thread, barrier, clock, log } = this.#options;
    const startMs = clock.monotonicMs();
    return await this.#inTurn(owner, async () => {
      const serial = await this.#store(apex, owner, store);
      await thread.apply({ apex, serial, ...change });
      this.#unserved.delete(owner);
      barrier?.changed(apex);
      log.debug({ apex, owner, serial, tookMs: Math.round(clock.monotonicMs() - startMs) }, 'DNS: change served');
      return serial;
    });
  }

  /** Where secondaries follow, no two states of the zone may have one serial: they would miss the second. */
  async #store(apex: string, owner: string, store: (journal: ZoneJournal) => Promise<number>): Promise<number> {
    const { journal, barrier } = this.#options;
    const isRepeated = this.#unserved.has(owner);
    if (barrier !== undefined) this.#unserved.add(owner);
    const serial = await store(journal);
    return isRepeated ? await journal.touch(apex) : serial;
  }

  async #inTurn<Result>(owner: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) {
      throw new LanyardError('dns-serving-failed', {
        message: 'too many DNS changes wait',
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#waiting += 1;
    const before = this.#tails.get(owner) ?? Promise.resolve();
    const mine = before.then(work);
    const tail = mine.catch(() => {});
    this.#tails.set(owner, tail);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
      if (this.#tails.get(owner) === tail) this.#tails.delete(owner);
    }
  }
}

function checkedAddress(owner: string, address: string): ZoneRecord {
  const record = addressRecord(address);
  if (record === undefined) throw refused(owner, `"${address}" is no IP address`);
  return { owner, ...record };
}

function caaRecords(owner: string, records: readonly CaaRecord[]): readonly ZoneRecord[] {
  return withoutRepeats(
    records.map((caa) => {
      const parsed = parseCaa(formatCaa(caa));
      if (parsed === undefined) throw refused(owner, `${formatCaa(caa)} is no CAA record`);
      return { owner, type: 'CAA', data: formatCaa(parsed) };
    }),
  );
}

/** A set holds each record once (RFC 2181 §5). */
function withoutRepeats(records: readonly ZoneRecord[]): readonly ZoneRecord[] {
  return [...new Map(records.map((record) => [`${record.type} ${record.data}`, record])).values()];
}

function checked(record: ZoneRecord): ZoneRecord {
  if (encodeRecordData(record) === undefined) throw refused(record.owner, `its ${record.type} data is malformed`);
  return record;
}

function refused(name: string, why: string): LanyardError {
  return new LanyardError('dns-record-refused', { message: `${name} cannot be published: ${why}` });
}
