/** A zone built for answering, and kept up to date change by change. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { isWithin, parentOf, parseDomainName } from './domain-name.ts';
import { addressRecord, encodeRecordData, ipv4Octets } from './record-data.ts';
import { isNewerSerial } from './serial.ts';
import { TYPE } from './wire.ts';
import type { DataSet, NameServerSet, Octets, RecordSet, SoaSet, Zone, ZoneNode } from './zone.ts';
import type { ZoneRecord, ZoneRecordType } from './zone-journal.ts';
import type { NameServer, SoaSettings } from './zone-settings.ts';

export interface ZoneOutline {
  readonly apex: string;
  readonly serial: number;
  readonly soa: SoaSettings;
  readonly nameServers: readonly NameServer[];
}

export interface ZoneSnapshot extends ZoneOutline {
  readonly records: readonly ZoneRecord[];
}

export interface ZoneChange {
  readonly apex: string;
  readonly serial: number;
  /** Owner and types that are emptied first. */
  readonly clear: readonly { readonly owner: string; readonly types: readonly ZoneRecordType[] }[];
  readonly remove: readonly ZoneRecord[];
  readonly add: readonly ZoneRecord[];
}

/** Short, so that an appliance that moved, or a challenge that was put up too late, is found within a minute. */
const RECORD_TTL_SECONDS = 60;
/** What hardly ever changes: SOA (negative answers take the smaller minimum), NS and the name servers' addresses. */
const FIXED_TTL_SECONDS = 3600;

/** Changed in place, as nobody holds one longer than an answer takes. */
interface LiveNode extends ZoneNode {
  sets: readonly RecordSet[];
  childCount: number;
}

export class ServedZone implements Zone {
  readonly apex: string;
  readonly glue: readonly RecordSet[];
  readonly #soa: SoaSettings;
  readonly #nameServers: readonly NameServer[];
  readonly #nodes = new Map<string, LiveNode>();
  #births = 0;
  #serial: number;
  #negative: readonly RecordSet[];

  /** Builds the zone; records that do not fit it are left out and handed to `onMisfit`. */
  constructor(snapshot: ZoneSnapshot, onMisfit: (record: ZoneRecord) => void) {
    this.apex = snapshot.apex;
    this.#soa = snapshot.soa;
    this.#nameServers = snapshot.nameServers;
    this.#serial = snapshot.serial;
    this.#negative = [this.#soaSet(Math.min(FIXED_TTL_SECONDS, this.#soa.minimumSeconds))];
    this.#putSet(this.#soaSet(FIXED_TTL_SECONDS));
    this.#putSet(this.#nameServerSet());
    this.glue = this.#buildGlue();
    this.fill(snapshot.records, onMisfit);
  }

  /** Adds more of the same snapshot, while nobody is answered from it. */
  fill(records: readonly ZoneRecord[], onMisfit: (record: ZoneRecord) => void): void {
    for (const record of records) {
      const data = this.#encode(record);
      if (data === undefined) onMisfit(record);
      else this.#addRecord(record, data);
    }
  }

  get serial(): number {
    return this.#serial;
  }

  /** How many nodes were made so far: `nodes` has those that are left in the order of their birth. */
  get births(): number {
    return this.#births;
  }

  get nodes(): ReadonlyMap<string, ZoneNode> {
    return this.#nodes;
  }

  get negative(): readonly RecordSet[] {
    return this.#negative;
  }

  /**
   * All of the change or nothing. Changes of different names may come in any order; the newest serial counts.
   * @throws LanyardError `dns-record-refused` when a record to add does not fit the zone.
   */
  apply(change: ZoneChange): void {
    const added = change.add.map((record) => ({ record, data: this.#mustEncode(record) }));
    for (const { owner, types } of change.clear) for (const type of types) this.#clear(owner, type);
    for (const record of change.remove) {
      const data = this.#encode(record);
      if (data !== undefined) this.#removeRecord(record, data);
    }
    for (const { record, data } of added) this.#addRecord(record, data);
    if (isNewerSerial(change.serial, this.#serial)) this.#moveTo(change.serial);
  }

  #mustEncode(record: ZoneRecord): Octets {
    const data = this.#encode(record);
    if (data !== undefined) return data;
    throw new LanyardError('dns-record-refused', { message: `${record.owner} ${record.type} does not fit its zone` });
  }

  #encode(record: ZoneRecord): Octets | undefined {
    const isOwner = parseDomainName(record.owner) === record.owner && isWithin(record.owner, this.apex);
    if (!isOwner || this.#isFixed(record.owner, record.type)) return undefined;
    // RFC 8659 §3: the CA climbs from the name to the apex; one place to look is one place to get right.
    if (record.type === 'CAA' && record.owner !== this.apex) return undefined;
    return octetsOf(record);
  }

  /** The name servers' addresses are configuration: nothing from the journal may change them. */
  #isFixed(owner: string, type: ZoneRecordType): boolean {
    if (type !== 'A' && type !== 'AAAA') return false;
    return this.#nameServers.some((server) => server.name === owner);
  }

  #moveTo(serial: number): void {
    this.#serial = serial;
    this.#negative = [this.#soaSet(Math.min(FIXED_TTL_SECONDS, this.#soa.minimumSeconds))];
    this.#putSet(this.#soaSet(FIXED_TTL_SECONDS));
  }

  #soaSet(ttlSeconds: number): SoaSet {
    return { kind: 'soa', owner: this.apex, type: TYPE.SOA, ttlSeconds, serial: this.#serial, soa: this.#soa };
  }

  #nameServerSet(): NameServerSet {
    const names = this.#nameServers.map((server) => server.name);
    return { kind: 'name-servers', owner: this.apex, type: TYPE.NS, ttlSeconds: FIXED_TTL_SECONDS, names };
  }

  /** Name servers outside the zone are for others to answer; we would only be guessing. */
  #buildGlue(): readonly RecordSet[] {
    const inside = this.#nameServers.filter((server) => isWithin(server.name, this.apex));
    for (const { name, addresses } of inside) {
      for (const record of addresses.map(addressRecord)) {
        const data = record && octetsOf(record);
        if (record && data) this.#addData(name, TYPE[record.type], data, FIXED_TTL_SECONDS);
      }
    }
    const names = [...new Set(inside.map((server) => server.name))];
    return names.flatMap((name) => (this.#nodes.get(name)?.sets ?? []).filter((set) => set.kind === 'data'));
  }

  #addRecord(record: ZoneRecord, data: Octets): void {
    this.#addData(record.owner, TYPE[record.type], data, RECORD_TTL_SECONDS);
  }

  #addData(owner: string, type: number, data: Octets, ttlSeconds: number): void {
    const node = this.#nodes.get(owner);
    const present = node === undefined ? [] : dataOf(node, type);
    if (present.includes(data)) return;
    // Spread into a list, even an empty one would make V8 reserve room for sixteen more.
    const all = present.length === 0 ? [data] : [...present, data];
    this.#putSet({ kind: 'data', owner, type, ttlSeconds, data: all }, node);
  }

  #removeRecord(record: ZoneRecord, data: Octets): void {
    const type = TYPE[record.type];
    const node = this.#nodes.get(record.owner);
    const present = node === undefined ? [] : dataOf(node, type);
    const rest = present.filter((other) => other !== data);
    if (rest.length === present.length) return;
    if (rest.length === 0) this.#dropSet(record.owner, type);
    else this.#putSet({ kind: 'data', owner: record.owner, type, ttlSeconds: RECORD_TTL_SECONDS, data: rest });
  }

  #clear(owner: string, type: ZoneRecordType): void {
    if (!this.#isFixed(owner, type)) this.#dropSet(owner, TYPE[type]);
  }

  /** @param node that of the owner, for a caller who has looked it up already. */
  #putSet(set: RecordSet, node = this.#nodes.get(set.owner)): void {
    if (node === undefined) {
      this.#insert(set.owner, { sets: [set], childCount: 0, born: this.#births++ });
      return;
    }
    const index = node.sets.findIndex((other) => other.type === set.type);
    node.sets = index < 0 ? [...node.sets, set] : node.sets.with(index, set);
  }

  /** Adds a node, together with those above it that are missing. */
  #insert(name: string, node: LiveNode): void {
    this.#nodes.set(name, node);
    if (name === this.apex) return;
    // Nearly every name lies right below the apex, whose text is hashed already.
    const parent = name.length - name.indexOf('.') - 1 === this.apex.length ? this.apex : parentOf(name);
    const above = this.#nodes.get(parent);
    if (above === undefined) this.#insert(parent, { sets: [], childCount: 1, born: this.#births++ });
    else above.childCount += 1;
  }

  #dropSet(owner: string, type: number): void {
    const node = this.#nodes.get(owner);
    if (node === undefined) return;
    const sets = node.sets.filter((set) => set.type !== type);
    if (sets.length === node.sets.length) return;
    node.sets = sets;
    this.#prune(owner);
  }

  /** Forgets `name`, and the names above it, when neither records nor names below are left. */
  #prune(name: string): void {
    const node = this.#nodes.get(name);
    if (name === this.apex || node === undefined || node.sets.length > 0 || node.childCount > 0) return;
    this.#nodes.delete(name);
    const parent = parentOf(name);
    const above = this.#nodes.get(parent);
    if (above === undefined) return;
    above.childCount -= 1;
    this.#prune(parent);
  }
}

function dataOf(node: ZoneNode, type: number): DataSet['data'] {
  const set = node.sets.find((candidate) => candidate.type === type);
  return set?.kind === 'data' ? set.data : [];
}

/** An address without the detour over an array, as a million of them are read at the start. */
function octetsOf(record: Pick<ZoneRecord, 'type' | 'data'>): Octets | undefined {
  if (record.type === 'A') return ipv4Octets(record.data);
  const bytes = encodeRecordData(record);
  return bytes && String.fromCharCode(...bytes);
}
