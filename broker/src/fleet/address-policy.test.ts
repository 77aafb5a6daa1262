import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReportedAddress } from '@lanyard/sdk/protocol';
import { chooseAddresses } from './address-policy.ts';

const strict = { allowCgnat: false, allowGlobal: false };
const lax = { allowCgnat: true, allowGlobal: true };

function reported(address: string, isDefaultRoute = true): ReportedAddress {
  return { address, interface: 'eth0', isDefaultRoute };
}

/** What becomes of an address by default, and with everything permitted. */
type Fate = 'published' | 'not-permitted' | 'never-published' | 'not-an-address';

const TABLE: Readonly<Record<Fate, readonly string[]>> = {
  published: [
    '10.0.0.1',
    '10.255.255.254',
    '172.16.0.1',
    '172.31.255.254',
    '192.168.0.1',
    '192.168.178.20',
    'fc00::1',
    'fd12:3456:789a::1',
    'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ],
  'not-permitted': [
    '100.64.0.1',
    '100.127.255.254',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
    '3ffe::1',
  ],
  'never-published': [
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.0.1',
    '169.254.169.254',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.251',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::10.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:8.8.8.8',
    '64:ff9b::10.0.0.1',
    '64:ff9b::808:808',
    '100::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::fb',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:20::1',
    '2001:db8::1',
    '2002::1',
    '2002:a00:1::',
    '2002:7f00:1::1',
    '3fff::1',
    '3fff:fff::1',
    '4000::1',
    'fd00:ec2::254',
    'fd20:ce::254',
  ],
  'not-an-address': [
    '',
    ' ',
    '.',
    ':',
    'localhost',
    'a.devices.example.com',
    '10.0.0.1 ',
    ' 10.0.0.1',
    '10.0.0.1\n',
    '10.0.0',
    '10.0.0.1.2',
    '10.0.0.256',
    '10.0.0.-1',
    '10.0.0.+1',
    '010.0.0.1',
    '10.00.0.1',
    '0x0a.0.0.1',
    '0x0a000001',
    '167772161',
    '10.1',
    '10.0.0.1/24',
    '10.0.0.1:80',
    '1e1.0.0.1',
    '١٠.0.0.1',
    'fe80::1%eth0',
    'fd00::1%1',
    'fd00::1/64',
    '[fd00::1]',
    'fd00::1]:80/x',
    'x:y@[fd00::1',
    'x]@110.0.0.11:1/',
    'fd00:::1',
    'fd00::1::2',
    'fd00:0:0:0:0:0:0:0:1',
    'fd00::12345',
    'fd00::g',
    'fd00::1 ',
    '::ffff:10.0.0.256',
    '::ffff:010.0.0.1',
  ],
};

describe('what becomes of one address', () => {
  for (const fate of ['not-permitted', 'never-published', 'not-an-address'] as const) {
    test.each(TABLE[fate])(`%j is ${fate}`, (address) => {
      expect(chooseAddresses([reported(address)], strict)).toEqual({
        published: [],
        withheld: [{ address, reason: fate }],
      });
    });
  }

  test.each(TABLE.published)('%j is published', (address) => {
    expect(chooseAddresses([reported(address)], strict)).toEqual({ published: [address], withheld: [] });
  });

  test.each(TABLE['not-permitted'])('%j is published with permission', (address) => {
    expect(chooseAddresses([reported(address)], lax)).toEqual({ published: [address], withheld: [] });
  });

  test.each([...TABLE['never-published'], ...TABLE['not-an-address']])(
    '%j is not published with any permission',
    (address) => {
      expect(chooseAddresses([reported(address)], lax).published).toEqual([]);
    },
  );

  test('each permission permits its own', () => {
    const both = [reported('100.64.0.1'), reported('8.8.8.8')];
    expect(chooseAddresses(both, { ...strict, allowCgnat: true }).published).toEqual(['100.64.0.1']);
    expect(chooseAddresses(both, { ...strict, allowGlobal: true }).published).toEqual(['8.8.8.8']);
  });
});

describe('which of several', () => {
  test('those of the interface with the default route come first, two of each family at most', () => {
    const all = [
      reported('10.0.0.1', false),
      reported('10.0.0.2', false),
      reported('192.168.1.1', true),
      reported('fd00::1', false),
      reported('fd00::2', true),
      reported('fd00::3', true),
    ];
    expect(chooseAddresses(all, strict)).toEqual({
      published: ['192.168.1.1', 'fd00::2', 'fd00::3', '10.0.0.1'],
      withheld: [
        { address: '10.0.0.2', reason: 'too-many' },
        { address: 'fd00::1', reason: 'too-many' },
      ],
    });
  });

  test('one address in two spellings is one', () => {
    const same = ['fd00::1', 'FD00:0:0::0:1', 'fd00:0000::0001', 'fd00::0.0.0.1'].map((address) => reported(address));
    expect(chooseAddresses(same, strict)).toEqual({ published: ['fd00::1'], withheld: [] });
  });

  test('an address that is withheld takes nobody’s place', () => {
    const all = ['127.0.0.1', '8.8.8.8', '169.254.1.1', '10.0.0.1', '10.0.0.2'].map((address) => reported(address));
    expect(chooseAddresses(all, strict).published).toEqual(['10.0.0.1', '10.0.0.2']);
  });
});

/** Node's own reading of addresses, as a second opinion. */
const allowed = new BlockList();
for (const [prefix, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  allowed.addSubnet(prefix, bits);
allowed.addSubnet('fc00::', 7, 'ipv6');

function isAllowed(address: string): boolean {
  return allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const octet = fc.oneof(fc.nat(255), fc.constantFrom(10, 127, 168, 169, 172, 192, 254, 0));
const v4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const address = fc.oneof(
  v4,
  fc.ipV6(),
  v4.map((tail) => `::ffff:${tail}`),
  v4.map((tail) => `64:ff9b::${tail}`),
  fc.tuple(fc.ipV6(), fc.string({ maxLength: 3 })).map((parts) => parts.join('%')),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:%[]/@ '.split('')), maxLength: 20 }),
  fc.constantFrom(...Object.values(TABLE).flat()),
);

test('nothing outside the private ranges is ever published, however it is spelt', () => {
  fc.assert(
    fc.property(
      fc.array(
        address.map((each) => reported(each)),
        { maxLength: 8 },
      ),
      (addresses) => {
        const { published, withheld } = chooseAddresses(addresses, strict);
        expect(published.filter((each) => isIP(each) === 0 || each.includes('%') || !isAllowed(each))).toEqual([]);
        expect(published.length).toBeLessThanOrEqual(4);
        expect(published.length + withheld.length).toBeLessThanOrEqual(addresses.length);
      },
    ),
    { numRuns: 2_000 },
  );
});
