import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_PROXY_HEADER_BYTES, readProxyHeader } from './proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

function version2(commandAndFamily: string, body: string): Buffer {
  const length = (body.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(SIGNATURE + commandAndFamily + length + body, 'hex');
}

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 203.0.113.7 192.0.2.1 56324 8883\r\n', '203.0.113.7'],
    ['PROXY TCP6 2001:db8::7 2001:db8::1 56324 8883\r\n', '2001:db8::7'],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff:f...f:ffff whatever\r\n', undefined],
  ])('%s', (line, sourceAddress) => {
    const header = readProxyHeader(Buffer.concat([Buffer.from(line), Buffer.from([0x16, 0x03])]));
    expect(header).toEqual({
      kind: 'header',
      sizeBytes: line.length,
      ...(sourceAddress !== undefined && { sourceAddress }),
    });
  });

  test.each([
    'PROXY TCP4 203.0.113.700 192.0.2.1 56324 8883\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 56324 8883\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 56324\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 56324 88830\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 56324 8883 more\r\n',
    'PROXY UDP4 203.0.113.7 192.0.2.1 56324 8883\r\n',
    'PROXY \r\n',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01',
    `PROXY TCP4 ${'1'.repeat(200)}`,
  ])('is refused: %j', (line) => {
    expect(readProxyHeader(Buffer.from(line)).kind).toBe('malformed');
  });
});

describe('version 2', () => {
  test('IPv4, IPv6, with extensions behind', () => {
    const ipv4 = version2('2111', 'cb007107c0000201dc0422b3');
    expect(readProxyHeader(ipv4)).toEqual({ kind: 'header', sizeBytes: 28, sourceAddress: '203.0.113.7' });
    const ipv6 = version2('2121', `20010db8${'0'.repeat(23)}720010db8${'0'.repeat(23)}1dc0422b3`);
    expect(readProxyHeader(ipv6)).toEqual({ kind: 'header', sizeBytes: 52, sourceAddress: '2001:db8::7' });
    const extended = version2('2111', 'cb007107c0000201dc0422b3040001ff');
    expect(readProxyHeader(extended)).toEqual({ kind: 'header', sizeBytes: 32, sourceAddress: '203.0.113.7' });
  });

  test('a balancer that speaks for itself, and what is not TCP over IP, have no source address', () => {
    expect(readProxyHeader(version2('2000', ''))).toEqual({ kind: 'header', sizeBytes: 16 });
    expect(readProxyHeader(version2('2100', 'aabb'))).toEqual({ kind: 'header', sizeBytes: 18 });
  });

  test.each([
    ['version 1 in a version 2 header', version2('1111', 'cb007107c0000201dc0422b3')],
    ['an unknown command', version2('2211', 'cb007107c0000201dc0422b3')],
    ['addresses that are cut short', version2('2111', 'cb007107')],
    ['IPv6 addresses that are cut short', version2('2121', 'cb007107c0000201dc0422b3')],
    ['a header of 64 KiB', Buffer.from(`${SIGNATURE}2111ffff`, 'hex')],
  ])('is refused: %s', (_what, bytes) => {
    expect(readProxyHeader(bytes).kind).toBe('malformed');
  });
});

test('every beginning of a header is incomplete, not wrong', () => {
  const headers = [
    Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 56324 8883\r\n'),
    version2('2111', 'cb007107c0000201dc0422b3'),
  ];
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length))).toEqual({ kind: 'incomplete' });
    }
  }
});

test('random bytes never throw and are never waited for longer than the limit', () => {
  const starts = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', Buffer.from(SIGNATURE, 'hex').toString('latin1'));
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 5000 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      const header = readProxyHeader(bytes);
      const neededBytes = header.kind === 'header' ? header.sizeBytes : 0;
      expect(neededBytes).toBeLessThanOrEqual(bytes.length);
      expect(header.kind === 'incomplete' && bytes.length >= LONGEST_PROXY_HEADER_BYTES).toBe(false);
    }),
    { numRuns: 500 },
  );
});
