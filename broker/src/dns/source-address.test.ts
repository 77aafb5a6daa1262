import { SocketAddress } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRecordData } from './record-data.ts';
import { SOURCE, readSource } from './source-address.ts';

function hexOf(address: string): string {
  return Buffer.from(SOURCE.subarray(0, readSource(address))).toString('hex');
}

describe('the bytes of a sender', () => {
  test.each([
    ['192.0.2.53', 'c0000235'],
    ['255.255.255.255', 'ffffffff'],
    ['2001:db8:220:1:59de:d0f4:8769:82b8', '20010db80220000159ded0f4876982b8'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['1::2:3:4:5:6', '00010000000000020003000400050006'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['FE80::ABCD', 'fe80000000000000000000000000abcd'],
  ])('%s', (address, hex) => {
    // What was read before does not shine through.
    SOURCE.fill(0xee);
    expect(hexOf(address)).toBe(hex);
  });

  test.each(['', 'localhost', '::ffff:192.0.2.1', '1.2.3'])('"%s" is no sender', (address) => {
    expect(readSource(address)).toBe(0);
  });

  test('every address is read as the zone reads it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const family = text.includes(':') ? 'ipv6' : 'ipv4';
        // As libuv spells it.
        const { address } = new SocketAddress({ address: text, family });
        fc.pre(family === 'ipv4' || !address.includes('.'));
        const bytes = encodeRecordData({ type: family === 'ipv4' ? 'A' : 'AAAA', data: address });
        expect(hexOf(address)).toBe(Buffer.from(bytes ?? []).toString('hex'));
      }),
    );
  });
});
