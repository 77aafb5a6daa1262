import { seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { Nonces } from './nonces.ts';

test('a nonce is good once, and only when it was issued', () => {
  const nonces = new Nonces({ random: seededRandom(1), rejectPercent: 0 });
  const nonce = nonces.issue();
  expect([nonces.redeem(nonce), nonces.redeem(nonce), nonces.redeem('never')]).toEqual([true, false, false]);
});

test('about five of a hundred good nonces are refused, and used up all the same', () => {
  const nonces = new Nonces({ random: seededRandom(1), rejectPercent: 5 });
  const issued = Array.from({ length: 10_000 }, () => nonces.issue());
  const refused = issued.filter((nonce) => !nonces.redeem(nonce));
  expect(refused.length).toBeGreaterThan(400);
  expect(refused.length).toBeLessThan(600);
  expect(refused.some((nonce) => nonces.redeem(nonce))).toBe(false);
});

test('whoever hoards nonces loses the oldest', () => {
  const nonces = new Nonces({ random: seededRandom(1), rejectPercent: 0 });
  const first = nonces.issue();
  const second = nonces.issue();
  for (let count = 0; count < 65_535; count += 1) nonces.issue();
  expect([nonces.redeem(first), nonces.redeem(second)]).toEqual([false, true]);
});
