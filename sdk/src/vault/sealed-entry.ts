/** The bytes of a vault file: one header line with length and checksum, then the entry. */
import { createHash } from 'node:crypto';

/** A key, a certificate chain and the names come to less than 20 kB; the rest is room for later. */
export const ENTRY_BYTES = 256 * 1024;

/** `lanyard-vault 1`, the checksum, up to seven digits of length, two spaces and the line's end. */
export const HEADER_BYTES = 128;

const HEADER = /^lanyard-vault 1 ([0-9a-f]{64}) (\d{1,7})$/;

export function sealEntry(entry: Uint8Array): Uint8Array {
  const header = `lanyard-vault 1 ${checksum(entry)} ${entry.byteLength}\n`;
  return new Uint8Array(Buffer.concat([Buffer.from(header, 'latin1'), entry]));
}

export type OpenedEntry =
  | { readonly kind: 'whole'; readonly entry: Uint8Array }
  | { readonly kind: 'broken'; readonly why: string };

export function openEntry(file: Uint8Array): OpenedEntry {
  const head = Buffer.from(file.subarray(0, HEADER_BYTES)).toString('latin1');
  const lineEnd = head.indexOf('\n');
  const [, sum, length] = HEADER.exec(head.slice(0, Math.max(0, lineEnd))) ?? [];
  if (sum === undefined || length === undefined) return { kind: 'broken', why: 'has no header line' };
  const entry = file.slice(lineEnd + 1);
  if (entry.byteLength !== Number(length)) {
    return { kind: 'broken', why: `has ${entry.byteLength} bytes instead of ${length}` };
  }
  return checksum(entry) === sum ? { kind: 'whole', entry } : { kind: 'broken', why: 'fails its checksum' };
}

function checksum(entry: Uint8Array): string {
  return createHash('sha256').update(entry).digest('hex');
}
