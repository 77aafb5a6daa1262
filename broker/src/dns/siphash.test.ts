/** SipHash-2-4 against the paper's vector and the reference implementation's table. */
import { describe, expect, test } from 'vitest';
import { SIPHASH_BYTES, sipHash } from './siphash.ts';

const KEY = Buffer.from(Array.from({ length: 16 }, (_, index) => index));

/** The first of `vectors_sip64` of the reference implementation: the hash of 00, 00 01, 00 01 02, … without its last byte. */
const VECTORS: readonly (readonly [length: number, hash: string])[] = [
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [2, '5a4fa9d909806c0d'],
  [3, '2d7efbd796666785'],
  [4, 'b7877127e09427cf'],
  [5, '8da699cd64557618'],
  [6, 'cee3fe586e46c9cb'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  // Appendix A of the paper: a129ca6149be45e5, there as a number.
  [15, 'e545be4961ca29a1'],
];

describe('SipHash-2-4', () => {
  test.each(VECTORS)('%i bytes', (length, hash) => {
    expect(hashOf(KEY, dataOf(length))).toBe(hash);
  });

  test('every bit of key and data counts', () => {
    const hashes = new Set([hashOf(KEY, dataOf(20))]);
    for (let bit = 0; bit < 128; bit++) hashes.add(hashOf(flipped(KEY, bit), dataOf(20)));
    for (let bit = 0; bit < 160; bit++) hashes.add(hashOf(KEY, flipped(dataOf(20), bit)));
    expect(hashes.size).toBe(1 + 128 + 160);
  });

  test('only the bytes asked for are read and written', () => {
    const data = dataOf(15);
    const target = Buffer.alloc(12, 0xee);
    sipHash(KEY, Buffer.concat([data, Buffer.of(0xff, 0xff)]), 15, target, 2);
    expect(target.toString('hex')).toBe('eeeee545be4961ca29a1eeee');
  });
});

function hashOf(key: Uint8Array, data: Uint8Array): string {
  const target = Buffer.alloc(SIPHASH_BYTES);
  sipHash(key, data, data.length, target, 0);
  return target.toString('hex');
}

function dataOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => index));
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}
