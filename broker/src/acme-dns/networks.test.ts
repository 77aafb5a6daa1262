import { describe, expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';
import { isNetwork, Networks } from './networks.ts';

describe('networks', () => {
  const networks = new Networks(['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '10.1.2.3/8']);

  test.each([
    ['192.0.2.200', true],
    ['192.0.3.1', false],
    ['198.51.100.7', true],
    ['198.51.100.8', false],
    ['::ffff:192.0.2.1', true],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['10.200.0.1', true],
    ['192.0.2.1 ', false],
    ['somebody', false],
    ['', false],
  ])('%s is in them: %j', (address, isIn) => expect(networks.has(address)).toBe(isIn));

  test('the whole Internet is one, and no network has nobody in it', () => {
    expect(new Networks(['0.0.0.0/0']).has('203.0.113.1')).toBe(true);
    expect(new Networks([]).has('127.0.0.1')).toBe(false);
  });

  test.each(['', '192.0.2.0/33', '192.0.2.0/', '192.0.2/24', '::/129', 'host.example', '10.0.0.0/8/8', 'fe80::1%eth0'])(
    '"%s" is none',
    (entry) => {
      expect(isNetwork(entry)).toBe(false);
      expect(() => new Networks([entry])).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    },
  );
});

describe('who asks', () => {
  const proxies = new Networks(['127.0.0.1', '10.0.0.0/8']);

  test.each([
    ['the peer', '203.0.113.9', undefined, '203.0.113.9'],
    ['the peer, whatever it says', '203.0.113.9', '192.0.2.1', '203.0.113.9'],
    ['whom a proxy names', '127.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['whom the outer of two proxies names', '127.0.0.1', '192.0.2.1, 10.0.0.1', '192.0.2.1'],
    ['nobody that the client names in front', '127.0.0.1', '192.0.2.1, 203.0.113.9', '203.0.113.9'],
    ['the proxy, if it names nobody', '127.0.0.1', '', '127.0.0.1'],
    ['what is no address', '127.0.0.1', 'unknown', 'unknown'],
  ])('is %s', (_what, peer, header, expected) => expect(clientAddress(peer, header, proxies)).toBe(expected));
});
