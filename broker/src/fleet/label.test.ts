import { expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import { randomLabel } from './label.ts';

test('a label is 16 letters and digits of base32, and every one of them can stand anywhere', () => {
  const random = seededRandom(1);
  const labels = Array.from({ length: 2_000 }, () => randomLabel(random));
  for (const label of labels) expect(label).toMatch(/^[a-z2-7]{16}$/);
  expect(new Set(labels).size).toBe(labels.length);
  for (const place of [0, 15]) expect(new Set(labels.map((label) => label[place])).size).toBe(32);
});

test('every bit of the dice that counts is used', () => {
  expect(labelOf(0)).toBe('a'.repeat(16));
  expect(labelOf(31)).toBe('7'.repeat(16));
  expect(labelOf(255)).toBe('7'.repeat(16));
});

function labelOf(byte: number): string {
  return randomLabel({ uniform: () => 0, bytes: (count) => new Uint8Array(count).fill(byte) });
}
