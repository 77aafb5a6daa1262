/** Turns an answer into bytes, no more of them than the asker can take. */
import { MessageWriter } from './message-writer.ts';
import type { Query, Refusal } from './parse-query.ts';
import {
  CLASS_IN,
  EDNS_UDP_BYTES,
  OPTION_COOKIE,
  PLAIN_UDP_BYTES,
  RCODE,
  TCP_BYTES,
  TYPE,
  type Rcode,
  type Transport,
} from './wire.ts';
import type { RecordSet, Response, SoaSet } from './zone.ts';

/** One for the thread: encoding never waits. */
const writer = new MessageWriter();

/** An OPT record without options: root, type, class, TTL, length. */
const OPT_BYTES = 11;
/** An option before its data: code and length. */
const OPTION_HEAD_BYTES = 4;

/**
 * The answer to `query`, with TC and empty sections when it does not fit `transport`.
 * @param cookie for an asker who sent one.
 */
export function encodeResponse(query: Query, response: Response, transport: Transport, cookie?: Uint8Array): Buffer {
  const limit = sizeLimit(query, transport) - optBytes(query, cookie);
  writer.begin(query);
  const answers = writeSets(response.answer);
  const authorities = writeSets(response.authority);
  if (writer.offset > limit) return encodeOverflow(query, response, transport, cookie);
  const additionals = writeWhatFits(response.additional, limit) + writeOpt(query, response.rcode, cookie);
  writeHeader(query, response.rcode, response.isAuthoritative, false);
  writeCounts(1, answers, authorities, additionals);
  return writer.finish();
}

/**
 * One message of a zone transfer (RFC 5936 §2.2).
 * @param fill writes records until it has none left, or is told that the last one does not fit any more.
 */
export function encodeRecords(query: Query, limit: number, fill: (write: (set: RecordSet) => boolean) => void): Buffer {
  let answers = 0;
  writer.begin(query);
  fill((set) => {
    const start = writer.offset;
    const written = writeSet(set);
    // The first one goes whatever its length, or nothing ever would.
    const isFitting = writer.offset <= limit || answers === 0;
    if (isFitting) answers += written;
    else writer.rewind(start);
    return isFitting;
  });
  const additionals = writeOpt(query, RCODE.NOERROR, undefined);
  writeHeader(query, RCODE.NOERROR, true, false);
  writeCounts(1, answers, 0, additionals);
  return writer.finish();
}

/** The bare header that a message gets which could not be understood. */
export function encodeRefusal(refusal: Refusal): Buffer {
  writer.begin(undefined);
  writeHeader(refusal, refusal.rcode, false, false);
  writeCounts(0, 0, 0, 0);
  return writer.finish();
}

/** The most bytes that the asker can take. */
export function sizeLimit(query: Query, transport: Transport): number {
  if (transport === 'tcp') return TCP_BYTES;
  if (query.edns === undefined) return PLAIN_UDP_BYTES;
  // RFC 6891 §6.2.3: values below 512 are read as 512.
  return Math.min(Math.max(query.edns.udpBytes, PLAIN_UDP_BYTES), EDNS_UDP_BYTES);
}

function optBytes(query: Query, cookie: Uint8Array | undefined): number {
  if (query.edns === undefined) return 0;
  return OPT_BYTES + (cookie === undefined ? 0 : OPTION_HEAD_BYTES + cookie.length);
}

/** Empty sections rather than half of them: nobody may take a part of a set for the whole (RFC 2181 §9). */
export function encodeOverflow(
  query: Query,
  response: Response,
  transport: Transport,
  cookie: Uint8Array | undefined,
): Buffer {
  // Over TCP there is nowhere to send the asker to.
  const isTruncated = transport === 'udp';
  const rcode = isTruncated ? response.rcode : RCODE.SERVFAIL;
  writer.begin(query);
  const additionals = writeOpt(query, rcode, cookie);
  writeHeader(query, rcode, response.isAuthoritative, isTruncated);
  writeCounts(1, 0, 0, additionals);
  return writer.finish();
}

/** @returns how many records were written. */
function writeSets(sets: readonly RecordSet[]): number {
  let count = 0;
  for (const set of sets) count += writeSet(set);
  return count;
}

/** RFC 2181 §9: additional records that do not fit are left out, without TC. */
function writeWhatFits(sets: readonly RecordSet[], limit: number): number {
  let count = 0;
  for (const set of sets) {
    const start = writer.offset;
    const written = writeSet(set);
    if (writer.offset <= limit) count += written;
    else writer.rewind(start);
  }
  return count;
}

function writeSet(set: RecordSet): number {
  switch (set.kind) {
    case 'data':
      for (const data of set.data) {
        writeRecordHead(set, data.length);
        writer.octets(data);
      }
      return set.data.length;
    case 'name-servers':
      for (const name of set.names) {
        const start = writeRecordHead(set, 0);
        writer.name(name);
        writer.shortAt(start - 2, writer.offset - start);
      }
      return set.names.length;
    case 'soa':
      writeSoa(set);
      return 1;
  }
}

/** @returns the offset at which the record's data begins, right behind its length. */
function writeRecordHead(set: RecordSet, dataBytes: number): number {
  writer.name(set.owner);
  writer.short(set.type);
  writer.short(CLASS_IN);
  writer.long(set.ttlSeconds);
  writer.short(dataBytes);
  return writer.offset;
}

/** RFC 1035 §3.3.13. */
function writeSoa(set: SoaSet): void {
  const start = writeRecordHead(set, 0);
  writer.name(set.soa.mname);
  writer.name(set.soa.rname);
  writer.long(set.serial);
  writer.long(set.soa.refreshSeconds);
  writer.long(set.soa.retrySeconds);
  writer.long(set.soa.expireSeconds);
  writer.long(set.soa.minimumSeconds);
  writer.shortAt(start - 2, writer.offset - start);
}

/** RFC 6891 §7: only for those who sent one. @returns how many records were written. */
function writeOpt(query: Query, rcode: Rcode, cookie: Uint8Array | undefined): number {
  if (query.edns === undefined) return 0;
  writer.byte(0);
  writer.short(TYPE.OPT);
  writer.short(EDNS_UDP_BYTES);
  writer.byte(rcode >>> 4);
  // Our version, which is 0.
  writer.byte(0);
  // RFC 3225 §3: the DO bit is copied; all other flags are zero.
  writer.short(query.edns.isDnssecOk ? 0x8000 : 0);
  writer.short(cookie === undefined ? 0 : OPTION_HEAD_BYTES + cookie.length);
  if (cookie === undefined) return 1;
  writer.short(OPTION_COOKIE);
  writer.short(cookie.length);
  writer.data(cookie);
  return 1;
}

function writeHeader(query: Query | Refusal, rcode: Rcode, isAuthoritative: boolean, isTruncated: boolean): void {
  writer.shortAt(0, query.id);
  // RA, AD and CD stay zero: we neither recurse nor validate (RFC 4035 §3.1.6).
  const flags =
    0x8000 |
    (query.opcode << 11) |
    (isAuthoritative ? 0x0400 : 0) |
    (isTruncated ? 0x0200 : 0) |
    (query.isRecursionDesired ? 0x0100 : 0);
  writer.shortAt(2, flags | (rcode & 0x0f));
}

function writeCounts(questions: number, answers: number, authorities: number, additionals: number): void {
  writer.shortAt(4, questions);
  writer.shortAt(6, answers);
  writer.shortAt(8, authorities);
  writer.shortAt(10, additionals);
}
