/** Dice as a service: the only place that asks the system for randomness. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). For spreading load, never for secrets. */
  uniform(): number;
}

export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  uniform: () => Math.random(),
};

/** `count` random bytes as lower-case hex. */
export function randomHex(random: Random, count: number): string {
  return Buffer.from(random.bytes(count)).toString('hex');
}

/** An unguessable correlation id (64 bits): short enough for a log line, unique enough for one appliance. */
export function randomId(random: Random): string {
  return randomHex(random, 8);
}
