/** Writes DER (X.690), for requests and certificates by the ten thousand. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAG.sequence, ...parts);
}

/** X.690 §8.1.3: lengths above 127 say how many octets they have. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), ...parts]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...octets), ...parts]);
}

/** @param unusedBits at the end of the last octet. */
export function bitString(contents: Uint8Array, unusedBits = 0): Buffer {
  return tagged(TAG.bitString, Uint8Array.of(unusedBits), contents);
}

/** An object identifier, given as its contents in hex. */
export function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}
