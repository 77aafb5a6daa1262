/** How the tests of this folder ask: bytes made by hand, answers read by another implementation. Not part of the product. */
import dnsPacket, { type Answer, type DecodedPacket } from 'dns-packet';
import { exampleZone } from './example-zone.ts';
import { respond } from './respond.ts';
import type { Transport } from './wire.ts';
import type { Zone } from './zone.ts';

export interface QueryOptions {
  readonly id?: number;
  readonly class?: number;
  /** The two bytes of flags; a plain query with RD when omitted. */
  readonly flags?: number;
  readonly edns?: EdnsOptions;
}

export interface EdnsOptions {
  readonly udpBytes?: number;
  readonly version?: number;
  readonly flags?: number;
  readonly options?: Buffer;
}

/** RFC 1035 §4.1: no library in between, so that anything can be asked. Case and any text in labels stay as they are. */
export function buildQuery(name: string, type: number, options: QueryOptions = {}): Buffer {
  const { id = 4711, flags = 0x0100, edns } = options;
  return Buffer.concat([
    shorts(id, flags, 1, 0, 0, edns === undefined ? 0 : 1),
    buildName(name),
    shorts(type, options.class ?? 1),
    edns === undefined ? Buffer.alloc(0) : buildOpt(edns),
  ]);
}

export function buildName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);
}

export function buildOpt(edns: EdnsOptions): Buffer {
  const { udpBytes = 1232, version = 0, flags = 0, options = NO_OPTIONS } = edns;
  return Buffer.concat([Buffer.of(0), shorts(41, udpBytes, version, flags, options.length), options]);
}

const NO_OPTIONS: Buffer = Buffer.alloc(0);

export function shorts(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.of(value >>> 8, value & 0xff)));
}

export interface Reply {
  readonly bytes: Buffer;
  readonly id: number;
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly isRecursionDesired: boolean;
  readonly isRecursionAvailable: boolean;
  readonly question: string | undefined;
  /** `owner type ttl data`, sorted. */
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
  readonly opt: { readonly udpBytes: number; readonly version: number; readonly flags: number } | undefined;
}

/** What the zones answer. @throws when the message is dropped. */
export function ask(message: Buffer, zones: readonly Zone[] = [exampleZone()], transport: Transport = 'udp'): Reply {
  const bytes = respond(message, transport, zones);
  if (bytes === undefined) throw new Error('the query was dropped');
  return readReply(bytes);
}

export function readReply(bytes: Buffer): Reply {
  const packet: DecodedPacket = dnsPacket.decode(bytes);
  const opts = (packet.additionals ?? []).flatMap((record) => (record.type === 'OPT' ? [record] : []));
  const [opt] = opts;
  if (opts.length > 1) throw new Error('more than one OPT record');
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    rcode: (bytes.readUInt8(3) & 0x0f) | ((opt?.extendedRcode ?? 0) << 4),
    isAuthoritative: packet.flag_aa,
    isTruncated: packet.flag_tc,
    isRecursionDesired: packet.flag_rd,
    isRecursionAvailable: packet.flag_ra,
    question: packet.questions?.[0]?.name,
    answers: describeAll(packet.answers),
    authorities: describeAll(packet.authorities),
    additionals: describeAll(packet.additionals),
    opt: opt && { udpBytes: opt.udpPayloadSize, version: opt.ednsVersion, flags: opt.flags },
  };
}

function describeAll(records: readonly Answer[] | undefined): readonly string[] {
  return (records ?? [])
    .filter((record) => record.type !== 'OPT')
    .map(describe)
    .toSorted();
}

function describe(record: Answer): string {
  if (record.type === 'OPT') return 'OPT';
  const head = `${record.name.toLowerCase()} ${record.type} ${record.ttl}`;
  switch (record.type) {
    case 'SOA':
      return `${head} ${nameOf(record.data.mname)} ${nameOf(record.data.rname)} ${record.data.serial} ${record.data.minimum}`;
    case 'CAA':
      return `${head} ${record.data.flags} ${record.data.tag} "${record.data.value}"`;
    case 'TXT':
      return `${head} ${[record.data].flat().map(String).join('')}`;
    case 'A':
    case 'AAAA':
      return `${head} ${record.data}`;
    case 'NS':
      return `${head} ${nameOf(record.data)}`;
    default:
      return head;
  }
}

/** Compressed names have the letters of the question that they point to, and mean the same (RFC 4343). */
function nameOf(text: string): string {
  return text.toLowerCase();
}
