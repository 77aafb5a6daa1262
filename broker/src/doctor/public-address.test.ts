import { expect, test } from 'vitest';
import { canonicalAddress, isPublic } from './public-address.ts';

test.each([
  ['9.9.9.9', true],
  ['172.32.0.1', true],
  ['2606:4700::1', true],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.1.1', false],
  ['172.31.255.255', false],
  ['192.168.0.1', false],
  ['192.0.2.53', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['2001:db8::1', false],
])('%s: %s', (address, expected) => {
  expect(isPublic(address)).toBe(expected);
});

test.each([
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['::1', '::1'],
  ['9.9.9.9', '9.9.9.9'],
])('%s is written %s', (address, expected) => {
  expect(canonicalAddress(address)).toBe(expected);
});
