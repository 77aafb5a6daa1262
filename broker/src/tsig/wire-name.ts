/** Domain names in the wire form that a MAC is taken over: lower case, not compressed (RFC 8945 §4.3.3). */

/** RFC 1035 §2.3.4 and §4.1.4. */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const POINTER_BITS = 0xc0;

/** @param name without a trailing dot; its characters are its bytes. */
export function writeName(name: string): Buffer {
  const labels = name === '' ? [] : name.toLowerCase().split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
}

/**
 * An uncompressed name in lower case; undefined for anything else: nobody may compress the names of a TSIG record
 * (RFC 8945 §4.2), and a dot inside a label would be mistaken for one between two.
 */
export function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let offset = start;
  while (offset - start < MAX_NAME_BYTES) {
    const length = message[offset];
    if (length === undefined || length > MAX_LABEL_BYTES || offset + 1 + length > message.length) return undefined;
    if (length === 0) return { name: labels.join('.'), end: offset + 1 };
    const label = message.toString('latin1', offset + 1, offset + 1 + length);
    if (label.includes('.')) return undefined;
    labels.push(label.toLowerCase());
    offset += 1 + length;
  }
  return undefined;
}

/** The offset behind the name at `start`, compressed or not. */
export function skipName(message: Buffer, start: number): number | undefined {
  let offset = start;
  while (offset - start < MAX_NAME_BYTES) {
    const length = message[offset];
    if (length === undefined) return undefined;
    if (length === 0) return offset + 1;
    if (length >= POINTER_BITS) return offset + 2;
    if (length > MAX_LABEL_BYTES) return undefined;
    offset += 1 + length;
  }
  return undefined;
}
