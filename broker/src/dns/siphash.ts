/** SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of DNS cookies; Node's crypto has none that stands alone. */

/** In bytes. */
export const SIPHASH_BYTES = 8;

/** Four words of 64 bits as halves, low one first. One for the thread: hashing never waits. */
const state = new Int32Array(8);
const V0 = 0;
const V1 = 2;
const V2 = 4;
const V3 = 6;

/** "somepseudorandomlygeneratedbytes", read as four big-endian words. */
const INITIAL = [0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462];

/** Writes the hash of the first `length` bytes of `data` into `target` at `offset`, in the byte order of the paper. */
export function sipHash(key: Uint8Array, data: Uint8Array, length: number, target: Uint8Array, offset: number): void {
  for (let half = 0; half < 8; half++) state[half] = at(INITIAL, half) ^ littleEndian(key, (half % 4) * 4);
  const tail = length & ~7;
  for (let index = 0; index < tail; index += 8) {
    compress(littleEndian(data, index), littleEndian(data, index + 4));
  }
  compressTail(data, tail, length);
  state[V2] = at(state, V2) ^ 0xff;
  for (let count = 0; count < 4; count++) round();
  const low = at(state, V0) ^ at(state, V1) ^ at(state, V2) ^ at(state, V3);
  const high = at(state, V0 + 1) ^ at(state, V1 + 1) ^ at(state, V2 + 1) ^ at(state, V3 + 1);
  for (let byte = 0; byte < 4; byte++) {
    target[offset + byte] = low >>> (8 * byte);
    target[offset + 4 + byte] = high >>> (8 * byte);
  }
}

/** The last word: what is left of the data, zeros, and the length in its upper byte. */
function compressTail(data: Uint8Array, start: number, length: number): void {
  let low = 0;
  let high = length << 24;
  for (let index = start; index < length; index++) {
    const place = index - start;
    if (place < 4) low |= at(data, index) << (8 * place);
    else high |= at(data, index) << (8 * (place - 4));
  }
  compress(low, high);
}

function compress(low: number, high: number): void {
  state[V3] = at(state, V3) ^ low;
  state[V3 + 1] = at(state, V3 + 1) ^ high;
  round();
  round();
  state[V0] = at(state, V0) ^ low;
  state[V0 + 1] = at(state, V0 + 1) ^ high;
}

/** SipRound, figure 2.1 of the paper. */
function round(): void {
  mix(V0, V1, 13);
  swapHalves(V0);
  mix(V2, V3, 16);
  mix(V0, V3, 21);
  mix(V2, V1, 17);
  swapHalves(V2);
}

/** `a += b; b = rotate(b, bits) ^ a`, for rotations below 32. */
function mix(a: number, b: number, bits: number): void {
  const bLow = at(state, b);
  const bHigh = at(state, b + 1);
  const low = (at(state, a) >>> 0) + (bLow >>> 0);
  const high = at(state, a + 1) + bHigh + (low > 0xffff_ffff ? 1 : 0);
  state[a] = low;
  state[a + 1] = high;
  state[b] = ((bLow << bits) | (bHigh >>> (32 - bits))) ^ low;
  state[b + 1] = ((bHigh << bits) | (bLow >>> (32 - bits))) ^ high;
}

/** A rotation by 32. */
function swapHalves(word: number): void {
  const low = at(state, word);
  state[word] = at(state, word + 1);
  state[word + 1] = low;
}

function littleEndian(bytes: Uint8Array, offset: number): number {
  return (
    at(bytes, offset) | (at(bytes, offset + 1) << 8) | (at(bytes, offset + 2) << 16) | (at(bytes, offset + 3) << 24)
  );
}

/** Every index here is within bounds. */
function at(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}
