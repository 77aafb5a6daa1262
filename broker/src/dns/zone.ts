/** What a zone holds, and the answer that a query gets from it. */
import { isWithin } from './domain-name.ts';
import type { Query } from './parse-query.ts';
import { CLASS_IN, OPCODE_QUERY, RCODE, TYPE, type Rcode } from './wire.ts';
import type { SoaSettings } from './zone-settings.ts';

export interface Zone {
  /** Lower case, no trailing dot. */
  readonly apex: string;
  readonly serial: number;
  /** By lower-cased owner. A name that only has names below it is there too, with no sets. */
  readonly nodes: ReadonlyMap<string, ZoneNode>;
  /** What stands in the authority section of every negative answer: the SOA with the negative TTL. */
  readonly negative: readonly RecordSet[];
  /** Addresses of the name servers that lie in the zone. */
  readonly glue: readonly RecordSet[];
}

export interface ZoneNode {
  readonly sets: readonly RecordSet[];
  /** How many names stand one label below; a node without sets lives as long as it has any. */
  readonly childCount: number;
  /** How many nodes of the zone were made before it. */
  readonly born: number;
}

/** Records of one owner and type. Names inside the data are kept apart because the wire compresses them. */
export type RecordSet = DataSet | NameServerSet | SoaSet;

export interface DataSet {
  readonly kind: 'data';
  readonly owner: string;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: readonly Octets[];
}

/** Bytes as the characters of a text, one each: a typed array takes 200 bytes more, and there are a million of them. */
export type Octets = string;

export interface NameServerSet {
  readonly kind: 'name-servers';
  readonly owner: string;
  readonly type: typeof TYPE.NS;
  readonly ttlSeconds: number;
  readonly names: readonly string[];
}

export interface SoaSet {
  readonly kind: 'soa';
  readonly owner: string;
  readonly type: typeof TYPE.SOA;
  readonly ttlSeconds: number;
  readonly serial: number;
  readonly soa: SoaSettings;
}

/** What to say, before it is known how much of it fits. */
export interface Response {
  /** Of the zone that answers; empty when none does. */
  readonly apex: string;
  readonly rcode: Rcode;
  readonly isAuthoritative: boolean;
  readonly answer: readonly RecordSet[];
  readonly authority: readonly RecordSet[];
  readonly additional: readonly RecordSet[];
}

/** Depends on nothing but its arguments and never throws. */
export function answer(zones: readonly Zone[], query: Query): Response {
  if (query.opcode !== OPCODE_QUERY) return NOT_IMPLEMENTED;
  // RFC 6891 §6.1.3: an unknown version is told so before anything else is looked at.
  if (query.edns !== undefined && query.edns.version > 0) return BAD_VERSION;
  if (query.class !== CLASS_IN) return REFUSED;
  // A zone transfer is an inventory of the fleet.
  if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return REFUSED;
  const zone = closestZone(zones, query.name);
  // No upward referral: it would help nobody but those who amplify.
  if (zone === undefined) return REFUSED;
  return answerFrom(zone, query);
}

const NOTHING: readonly never[] = [];
const NOT_IMPLEMENTED = bare(RCODE.NOTIMP);
const BAD_VERSION = bare(RCODE.BADVERS);
const REFUSED = bare(RCODE.REFUSED);
/** RFC 7873 §5.2.3: ask again with the cookie that comes with this. */
export const BAD_COOKIE = bare(RCODE.BADCOOKIE);

/** A response that is nothing but its code. */
export function bare(rcode: Rcode): Response {
  return { apex: '', rcode, isAuthoritative: false, answer: NOTHING, authority: NOTHING, additional: NOTHING };
}

function closestZone(zones: readonly Zone[], name: string): Zone | undefined {
  let closest: Zone | undefined;
  for (const zone of zones) {
    const isCloser = closest === undefined || zone.apex.length > closest.apex.length;
    if (isCloser && isWithin(name, zone.apex)) closest = zone;
  }
  return closest;
}

function answerFrom(zone: Zone, query: Query): Response {
  const node = zone.nodes.get(query.name);
  if (node === undefined) return negative(RCODE.NXDOMAIN, zone);
  // RFC 8482 §4.1: one set is answer enough to ANY.
  const set = query.type === TYPE.ANY ? node.sets[0] : node.sets.find((candidate) => candidate.type === query.type);
  // RFC 8020: a name with names below it exists, so it is "no data", or a resolver would not ask for those below.
  if (set === undefined) return negative(RCODE.NOERROR, zone);
  return {
    apex: zone.apex,
    rcode: RCODE.NOERROR,
    isAuthoritative: true,
    answer: [set],
    authority: NOTHING,
    additional: set.kind === 'name-servers' ? zone.glue : NOTHING,
  };
}

/** RFC 2308 §3: without the SOA nobody knows how long to remember it, and some validators fail. */
function negative(rcode: Rcode, zone: Zone): Response {
  return {
    apex: zone.apex,
    rcode,
    isAuthoritative: true,
    answer: NOTHING,
    authority: zone.negative,
    additional: NOTHING,
  };
}
