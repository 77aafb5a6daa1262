/** Address literals as a certificate writes them. */
import { assert, ipV4, ipV6, property } from 'fast-check';
import { expect, test } from 'vitest';
import { addressBytes } from './self-signed.ts';

test.each([
  ['10.1.1.4', '0a010104'],
  ['::', '00'.repeat(16)],
  ['::1', `${'00'.repeat(15)}01`],
  ['fe80::1%eth0', `fe80${'00'.repeat(13)}01`],
  ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
  ['::ffff:10.1.1.4', `${'00'.repeat(10)}ffff0a010104`],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
])('%s', (literal, hex) => {
  expect(Buffer.from(addressBytes(literal) ?? []).toString('hex')).toBe(hex);
});

test.each(['', 'box.local', '10.1.1', '1.2.3.4.5', ':::', '2001:db8::g'])('%j is no address', (text) => {
  expect(addressBytes(text)).toBeUndefined();
});

test('every address has the length of its family', () => {
  assert(property(ipV4(), ipV6(), (v4, v6) => addressBytes(v4)?.length === 4 && addressBytes(v6)?.length === 16));
});
