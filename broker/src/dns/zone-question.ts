/** What the primary says to its secondaries: "there is something new", and "what have you got?". */
import type { Random } from '@lanyard/sdk/kernel';
import { CLASS_IN, HEADER_BYTES, OPCODE_NOTIFY, OPCODE_QUERY, TYPE } from './wire.ts';

/** RFC 1996 §3.6 to §3.8: authoritative, asking for the SOA; the serial is left for the secondary to ask, signed. */
export function notifyOf(apex: string, random: Random): Buffer {
  return question(apex, random, (OPCODE_NOTIFY << 11) | 0x0400);
}

export function soaQuestion(apex: string, random: Random): Buffer {
  return question(apex, random, OPCODE_QUERY << 11);
}

function question(apex: string, random: Random, flags: number): Buffer {
  const labels = apex.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(random.bytes(2), 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  const end = Buffer.alloc(5);
  end.writeUInt16BE(TYPE.SOA, 1);
  end.writeUInt16BE(CLASS_IN, 3);
  return Buffer.concat([header, ...labels, end]);
}
