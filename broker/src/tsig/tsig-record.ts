/** The TSIG record on the wire: found at the end of a message, and put there (RFC 8945 §4.2). */
import { readName, skipName, writeName } from './wire-name.ts';

export interface TsigRecord {
  /** Lower case, no trailing dot. */
  readonly keyName: string;
  readonly algorithm: string;
  readonly timeSeconds: number;
  readonly fudgeSeconds: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

export interface SignedMessage {
  readonly record: TsigRecord;
  /** The message as it was before it was signed. */
  readonly unsigned: Buffer;
}

const TSIG = 250;
const CLASS_ANY = 255;
const HEADER_BYTES = 12;
/** Type, class, TTL and length behind an owner. */
const FIXED_BYTES = 10;
/** RFC 8945 §4.2: time, fudge, MAC size before the MAC; id, error, other length behind it. */
const BEFORE_MAC_BYTES = 10;
const BEHIND_MAC_BYTES = 6;

/** The record, `none` when there is none, `malformed` when it stands elsewhere than last or cannot be read. */
export function findTsig(message: Buffer): SignedMessage | 'none' | 'malformed' {
  if (message.length < HEADER_BYTES) return 'malformed';
  const last = lastRecord(message);
  if (last === 'malformed' || last === 'none') return last;
  const record = readRecord(message, last);
  if (record === undefined) return 'malformed';
  const unsigned = Buffer.from(message.subarray(0, last));
  unsigned.writeUInt16BE(record.originalId, 0);
  unsigned.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
  return { record, unsigned };
}

/** `message` with the record at its end. */
export function appendTsig(message: Uint8Array, record: TsigRecord): Buffer {
  const data = Buffer.concat([
    writeName(record.algorithm),
    timeBytes(record),
    shorts(record.mac.length),
    record.mac,
    shorts(record.originalId, record.error, record.other.length),
    record.other,
  ]);
  const fixed = shorts(TSIG, CLASS_ANY, 0, 0, data.length);
  const signed = Buffer.concat([message, writeName(record.keyName), fixed, data]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return signed;
}

/** How many bytes `appendTsig` adds for a MAC of this length. */
export function tsigBytes(keyName: string, algorithm: string, macBytes: number): number {
  // A name takes a length byte for its first label, and the root.
  const names = keyName.length + 2 + algorithm.length + 2;
  return names + FIXED_BYTES + BEFORE_MAC_BYTES + macBytes + BEHIND_MAC_BYTES + SERVER_TIME_BYTES;
}

/** RFC 8945 §5.2.3: the server's clock, told to a client whose clock is wrong. */
const SERVER_TIME_BYTES = 6;

/** Time signed (48 bits) and fudge (16 bits). */
export function timeBytes({ timeSeconds, fudgeSeconds }: Pick<TsigRecord, 'timeSeconds' | 'fudgeSeconds'>): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(timeSeconds, 0, 6);
  bytes.writeUInt16BE(fudgeSeconds, 6);
  return bytes;
}

export function shorts(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

/** Where the last record begins, if it is a TSIG record and no other is. */
function lastRecord(message: Buffer): number | 'none' | 'malformed' {
  let offset: number | undefined = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left--) {
    offset = skipName(message, offset);
    if (offset === undefined) return 'malformed';
    offset += 4;
  }
  const additionals = message.readUInt16BE(10);
  for (let left = message.readUInt16BE(6) + message.readUInt16BE(8) + additionals; left > 0; left--) {
    const start: number = offset;
    const fixed = skipName(message, start);
    if (fixed === undefined || fixed + FIXED_BYTES > message.length) return 'malformed';
    offset = fixed + FIXED_BYTES + message.readUInt16BE(fixed + 8);
    if (message.readUInt16BE(fixed) !== TSIG) continue;
    // RFC 8945 §5.1: the last record of the additional section, and none behind it.
    return left === 1 && additionals > 0 && offset === message.length ? start : 'malformed';
  }
  return offset === message.length ? 'none' : 'malformed';
}

function readRecord(message: Buffer, start: number): TsigRecord | undefined {
  const owner = readName(message, start);
  if (owner === undefined) return undefined;
  // RFC 8945 §4.2: class ANY, TTL 0.
  if (message.readUInt16BE(owner.end + 2) !== CLASS_ANY || message.readUInt32BE(owner.end + 4) !== 0) return undefined;
  const algorithm = readName(message, owner.end + FIXED_BYTES);
  if (algorithm === undefined || algorithm.end + BEFORE_MAC_BYTES > message.length) return undefined;
  const time = algorithm.end;
  const macStart = time + BEFORE_MAC_BYTES;
  const macEnd = macStart + message.readUInt16BE(time + 8);
  const otherStart = macEnd + BEHIND_MAC_BYTES;
  if (otherStart > message.length || otherStart + message.readUInt16BE(macEnd + 4) !== message.length) return undefined;
  return {
    keyName: owner.name,
    algorithm: algorithm.name,
    timeSeconds: message.readUIntBE(time, 6),
    fudgeSeconds: message.readUInt16BE(time + 6),
    mac: new Uint8Array(message.subarray(macStart, macEnd)),
    originalId: message.readUInt16BE(macEnd),
    error: message.readUInt16BE(macEnd + 2),
    other: new Uint8Array(message.subarray(otherStart)),
  };
}
