/** Reads the serial out of SOA records that others wrote. */
import type { Query } from './parse-query.ts';
import { HEADER_BYTES, POINTER_BITS, TYPE } from './wire.ts';

/** Type, class, TTL and length of a record after its owner. */
const RECORD_FIXED_BYTES = 10;

/** RFC 1995 §3: an IXFR question carries the SOA that the asker has, in its authority section. */
export function readOfferedSerial({ message, questionEnd }: Query): number | undefined {
  return message.readUInt16BE(8) === 1 ? readSerial(message, questionEnd) : undefined;
}

/** The serial of an authoritative answer to a question for the SOA; undefined for every other answer. */
export function readAnsweredSerial(message: Buffer): number | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  // QR and AA set, opcode, TC and RCODE zero: a server whose copy has expired answers otherwise.
  const isWhole = (flags & 0xfe0f) === 0x8400;
  if (!isWhole || message.readUInt16BE(4) !== 1 || message.readUInt16BE(6) === 0) return undefined;
  const nameEnd = skipName(message, HEADER_BYTES);
  return nameEnd === undefined ? undefined : readSerial(message, nameEnd + 4);
}

/** RFC 1035 §3.3.13: two names, then the serial. */
function readSerial(message: Buffer, start: number): number | undefined {
  const fixed = skipName(message, start);
  if (fixed === undefined || fixed + RECORD_FIXED_BYTES > message.length) return undefined;
  if (message.readUInt16BE(fixed) !== TYPE.SOA) return undefined;
  const rname = skipName(message, fixed + RECORD_FIXED_BYTES);
  const serial = rname === undefined ? undefined : skipName(message, rname);
  return serial === undefined || serial + 4 > message.length ? undefined : message.readUInt32BE(serial);
}

function skipName(message: Buffer, start: number): number | undefined {
  for (let offset = start; ;) {
    const length = message[offset];
    if (length === undefined) return undefined;
    if (length === 0) return offset + 1;
    if (length >= POINTER_BITS) return offset + 2;
    offset += 1 + length;
  }
}
