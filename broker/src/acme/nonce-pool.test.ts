import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { NoncePool } from './nonce-pool.ts';

function poolOf(...nonces: string[]): { pool: NoncePool; clock: VirtualClock } {
  const clock = new VirtualClock();
  const pool = new NoncePool({ clock });
  for (const nonce of nonces) pool.put(nonce);
  return { pool, clock };
}

test('the newest nonce is taken first, each one once', () => {
  const { pool } = poolOf('a', 'b');
  expect([pool.take(), pool.take(), pool.take()]).toEqual(['b', 'a', undefined]);
});

test('a nonce that the CA sends twice is kept once', () => {
  const { pool } = poolOf('a', 'a');
  expect(pool.size).toBe(1);
});

test('nonces older than five minutes are forgotten', async () => {
  const { pool, clock } = poolOf('old');
  await clock.advance(5 * 60_000);
  pool.put('new');
  await clock.advance(1);
  expect([pool.take(), pool.take(), pool.size]).toEqual(['new', undefined, 0]);
});

test('what is not base64url is ignored (RFC 8555 §6.5.1)', () => {
  const { pool } = poolOf('', 'a b', 'a=', 'a\n', 'x'.repeat(257), 'ä');
  expect(pool.size).toBe(0);
});

test('of more than 64 the oldest go', () => {
  const { pool } = poolOf(...Array.from({ length: 70 }, (_, index) => `n${index}`));
  const taken = Array.from({ length: 64 }, () => pool.take());
  expect([taken[0], taken[63], pool.take()]).toEqual(['n69', 'n6', undefined]);
});
