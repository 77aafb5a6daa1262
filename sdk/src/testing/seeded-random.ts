/** Dice that fall the same way for the same seed. */
import type { Random } from '../kernel/random.ts';

/** mulberry32: small, fast, and good enough for spreading load; never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { uniform, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(uniform() * 256)) };
}
