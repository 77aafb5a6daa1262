/** Turns bytes from the network into a query that is ours, or into the reason why it is none. */
import { isCookieLength } from './cookie.ts';
import {
  HEADER_BYTES,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  OPCODE_QUERY,
  OPTION_COOKIE,
  POINTER_BITS,
  RCODE,
  TYPE,
  type Rcode,
} from './wire.ts';

export type ParsedQuery =
  | Query
  | Refusal
  /** No answer at all: a response (two servers would answer each other for ever), or too short to have an id. */
  | { readonly kind: 'drop' };

export interface Query {
  readonly kind: 'query';
  readonly id: number;
  readonly opcode: number;
  readonly isRecursionDesired: boolean;
  /**
   * The asked name in lower case without its trailing dot; the root is empty. A dot or backslash inside a label is
   * written `\046` and `\092`, so that every dot separates labels.
   */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly edns: Edns | undefined;
  /** The whole message; its question is echoed byte by byte, which keeps the case that resolvers check (0x20). */
  readonly message: Buffer;
  readonly questionEnd: number;
}

export interface Edns {
  readonly version: number;
  /** The largest UDP answer that the client says it takes. */
  readonly udpBytes: number;
  readonly isDnssecOk: boolean;
  /** The data of the COOKIE option (RFC 7873), of a lawful length. */
  readonly cookie: Uint8Array | undefined;
}

/** A message that has an id to answer to, but cannot be understood. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly id: number;
  readonly opcode: number;
  readonly isRecursionDesired: boolean;
  readonly rcode: Rcode;
}

/** RFC 1995 §3: an IXFR query carries one SOA there; nothing else has any. */
const MAX_AUTHORITY_RECORDS = 1;
/** OPT, TSIG, SIG(0) and one to spare: a bound on the work, not a rule of the protocol. */
const MAX_ADDITIONAL_RECORDS = 4;
/** Type, class, TTL and length of a record after its owner. */
const RECORD_FIXED_BYTES = 10;

const DROP = { kind: 'drop' } as const;

/** Never throws, whatever the bytes are. */
export function parseQuery(message: Buffer): ParsedQuery {
  if (message.length < HEADER_BYTES) return DROP;
  const flags = byteAt(message, 2);
  if ((flags & 0x80) !== 0) return DROP;
  const opcode = (flags >>> 3) & 0x0f;
  return readQuery(message, opcode) ?? refuse(message, opcode);
}

function refuse(message: Buffer, opcode: number): Refusal {
  return {
    kind: 'refusal',
    id: shortAt(message, 0),
    opcode,
    isRecursionDesired: (byteAt(message, 2) & 1) !== 0,
    // The sections of other operations mean other things (RFC 2136 §2), so their format is not for us to judge.
    rcode: opcode === OPCODE_QUERY ? RCODE.FORMERR : RCODE.NOTIMP,
  };
}

function readQuery(message: Buffer, opcode: number): Query | undefined {
  const questions = shortAt(message, 4);
  const authorities = shortAt(message, 8);
  const additionals = shortAt(message, 10);
  // RFC 9619 §4: a query has exactly one question. Answers in a query mean nothing.
  if (questions !== 1 || shortAt(message, 6) !== 0) return undefined;
  if (authorities > MAX_AUTHORITY_RECORDS || additionals > MAX_ADDITIONAL_RECORDS) return undefined;

  const nameEnd = readName(message, HEADER_BYTES);
  if (nameEnd === MALFORMED || nameEnd + 4 > message.length) return undefined;
  const name = KEY.toString('latin1', 0, keyLength);
  const records = readRecords(message, nameEnd + 4, authorities, additionals);
  if (records === undefined) return undefined;
  return {
    kind: 'query',
    id: shortAt(message, 0),
    opcode,
    isRecursionDesired: (byteAt(message, 2) & 1) !== 0,
    name,
    type: shortAt(message, nameEnd),
    class: shortAt(message, nameEnd + 2),
    edns: records.edns,
    message,
    questionEnd: nameEnd + 4,
  };
}

const MALFORMED = -1;

/** Where `readName` leaves the name it read: escapes make a byte four. One for the thread, as parsing never waits. */
const KEY = Buffer.alloc(MAX_NAME_BYTES * 4);
let keyLength = 0;

/** Reads a name into `KEY`. @returns the offset behind it, or `MALFORMED`. */
function readName(message: Buffer, start: number): number {
  let offset = start;
  let written = 0;
  for (;;) {
    const length = message[offset];
    if (length === undefined) return MALFORMED;
    offset += 1;
    if (length === 0) break;
    // A pointer in the first name of a message can only point into the header, or forward.
    if (length > MAX_LABEL_BYTES || offset + length > message.length) return MALFORMED;
    if (offset + length - start > MAX_NAME_BYTES - 1) return MALFORMED;
    if (written > 0) KEY[written++] = DOT;
    for (const end = offset + length; offset < end; offset++) written = writeKeyByte(byteAt(message, offset), written);
  }
  keyLength = written;
  return offset;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function writeKeyByte(byte: number, at: number): number {
  if (byte === DOT || byte === BACKSLASH) return at + KEY.write(byte === DOT ? '\\046' : '\\092', at, 'latin1');
  // RFC 4343 §3: only the ASCII letters have case.
  KEY[at] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  return at + 1;
}

const NO_EDNS: { readonly edns: Edns | undefined } = { edns: undefined };

/** Walks the records behind the question; undefined when they are malformed or do not end where the message ends. */
function readRecords(message: Buffer, start: number, authorities: number, additionals: number) {
  if (authorities === 0 && additionals === 0) return start === message.length ? NO_EDNS : undefined;
  let offset = start;
  let edns: Edns | undefined;
  for (let index = 0; index < authorities + additionals; index++) {
    const ownerEnd = skipName(message, offset);
    if (ownerEnd === MALFORMED || ownerEnd + RECORD_FIXED_BYTES > message.length) return undefined;
    const dataStart = ownerEnd + RECORD_FIXED_BYTES;
    const dataEnd = dataStart + shortAt(message, ownerEnd + 8);
    if (dataEnd > message.length) return undefined;
    if (shortAt(message, ownerEnd) === TYPE.OPT) {
      // RFC 6891 §6.1.1: at most one, in the additional section, owned by the root.
      if (edns !== undefined || index < authorities || ownerEnd !== offset + 1) return undefined;
      edns = readEdns(message, ownerEnd, dataStart, dataEnd);
      if (edns === undefined) return undefined;
    }
    offset = dataEnd;
  }
  return offset === message.length ? { edns } : undefined;
}

function readEdns(message: Buffer, offset: number, dataStart: number, dataEnd: number): Edns | undefined {
  const version = byteAt(message, offset + 5);
  const cookieStart = dataStart === dataEnd ? NO_COOKIE : findCookie(message, dataStart, dataEnd);
  if (cookieStart === MALFORMED) return undefined;
  // What options mean in other versions is not known.
  const hasCookie = cookieStart !== NO_COOKIE && version === 0;
  const cookie = hasCookie ? optionData(message, cookieStart) : undefined;
  if (cookie !== undefined && !isCookieLength(cookie.length)) return undefined;
  return {
    udpBytes: shortAt(message, offset + 2),
    version,
    isDnssecOk: (byteAt(message, offset + 6) & 0x80) !== 0,
    cookie,
  };
}

/** No option can start in the header. */
const NO_COOKIE = 0;

/**
 * RFC 6891 §6.1.2: code, length, data; all but the cookie is ignored.
 * @returns the offset of the first COOKIE option (RFC 7873 §5.2: others are ignored), `NO_COOKIE` or `MALFORMED`.
 */
function findCookie(message: Buffer, start: number, end: number): number {
  let found = NO_COOKIE;
  let offset = start;
  while (offset + 4 <= end) {
    if (found === NO_COOKIE && shortAt(message, offset) === OPTION_COOKIE) found = offset;
    offset += 4 + shortAt(message, offset + 2);
  }
  return offset === end ? found : MALFORMED;
}

function optionData(message: Buffer, offset: number): Uint8Array {
  return message.subarray(offset + 4, offset + 4 + shortAt(message, offset + 2));
}

/** @returns the offset behind the name at `start`, without following a pointer, or `MALFORMED`. */
function skipName(message: Buffer, start: number): number {
  let offset = start;
  while (offset - start < MAX_NAME_BYTES) {
    const length = message[offset];
    if (length === undefined) return MALFORMED;
    if (length === 0) return offset + 1;
    if (length >= POINTER_BITS) return offset + 2;
    if (length > MAX_LABEL_BYTES) return MALFORMED;
    offset += 1 + length;
  }
  return MALFORMED;
}

/** The caller has checked the bounds; a byte beyond the end would read as zero. */
function byteAt(message: Buffer, offset: number): number {
  return message[offset] ?? 0;
}

function shortAt(message: Buffer, offset: number): number {
  return (byteAt(message, offset) << 8) | byteAt(message, offset + 1);
}
