/** The data of a record, from the text that the journal keeps to the bytes that the wire carries. */
import { isIPv4, isIPv6 } from 'node:net';
import { parseCaa } from './caa-record.ts';
import type { ZoneRecord } from './zone-journal.ts';

/** Undefined when the text does not fit the type. Done once when a record comes in, so that answering only copies. */
export function encodeRecordData(record: Pick<ZoneRecord, 'type' | 'data'>): Uint8Array | undefined {
  switch (record.type) {
    case 'A':
      return isIPv4(record.data) ? encodeIpv4(record.data) : undefined;
    case 'AAAA':
      return encodeIpv6(record.data);
    case 'TXT':
      return encodeText(record.data);
    case 'CAA':
      return encodeCaa(record.data);
  }
}

/** The record that an address makes, in its canonical spelling (RFC 5952), so that equal addresses are equal texts. */
export function addressRecord(address: string): Pick<ZoneRecord, 'type' | 'data'> | undefined {
  if (isIPv4(address)) return { type: 'A', data: address };
  const data = canonicalIpv6(address);
  return data === undefined ? undefined : { type: 'AAAA', data };
}

function encodeIpv4(address: string): Uint8Array {
  const value = ipv4Value(address);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Its four bytes as characters. */
export function ipv4Octets(address: string): string | undefined {
  if (!isIPv4(address)) return undefined;
  const value = ipv4Value(address);
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function ipv4Value(address: string): number {
  let value = 0;
  let byte = 0;
  for (let index = 0; index <= address.length; index++) {
    const code = address.charCodeAt(index);
    if (code >= 0x30) byte = byte * 10 + code - 0x30;
    else {
      // A dot, or the end, whose code is not a number.
      value = (value << 8) | byte;
      byte = 0;
    }
  }
  return value;
}

function encodeIpv6(address: string): Uint8Array | undefined {
  const canonical = canonicalIpv6(address);
  if (canonical === undefined) return undefined;
  const [before = '', after = ''] = canonical.split('::');
  const bytes = new Uint8Array(16);
  writeGroups(bytes, 0, groupsOf(before));
  const tail = groupsOf(after);
  writeGroups(bytes, 16 - tail.length * 2, tail);
  return bytes;
}

function canonicalIpv6(address: string): string | undefined {
  // A scope (`%eth0`) means something on one machine only.
  if (!isIPv6(address) || address.includes('%')) return undefined;
  // The URL parser spells an address canonically, embedded IPv4 as hexadecimal groups.
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function writeGroups(bytes: Uint8Array, start: number, groups: readonly number[]): void {
  for (const [index, group] of groups.entries()) {
    bytes[start + index * 2] = group >>> 8;
    bytes[start + index * 2 + 1] = group & 0xff;
  }
}

/** RFC 1035 §3.3.14: strings of at most 255 bytes each. */
const MAX_STRING_BYTES = 255;
/** A challenge has 43 characters (RFC 8555 §8.4); the rest is room for what an operator may want to say. */
const MAX_TEXT_BYTES = 1020;

function encodeText(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > MAX_TEXT_BYTES) return undefined;
  const strings: Uint8Array[] = [];
  // An empty text is one empty string: a TXT record has at least one.
  for (let start = 0; start === 0 || start < bytes.length; start += MAX_STRING_BYTES) {
    const string = bytes.subarray(start, start + MAX_STRING_BYTES);
    strings.push(Uint8Array.of(string.length), string);
  }
  return new Uint8Array(Buffer.concat(strings));
}

/** RFC 8659 §4.1: flags, length of the tag, tag, value up to the end. */
function encodeCaa(text: string): Uint8Array | undefined {
  const caa = parseCaa(text);
  if (caa === undefined) return undefined;
  const tag = Buffer.from(caa.tag, 'ascii');
  return new Uint8Array(Buffer.concat([Uint8Array.of(caa.flags, tag.length), tag, Buffer.from(caa.value, 'ascii')]));
}
