/** Whatever an appliance's parts say, the broker can read its hello. */
import { array, assert, double, property, record, string } from 'fast-check';
import { expect, test } from 'vitest';
import { helloBody, parseHello } from '../protocol/hello.ts';
import { LIMITS } from '../protocol/limits.ts';
import { makeHello } from './introduction.ts';

const PARTS = {
  id: 'hello-1',
  bootId: 'boot-1',
  clockMs: 0,
  addresses: [],
  held: undefined,
  pendingKeyHash: undefined,
  introduction: { sdkVersion: '0.1.0' },
};

test('an address that is none, or only within one link, does not cost the others', () => {
  const given = ['10.1.1.4/24', 'fe80::1%eth0', 'localhost', '', '10.1.1.4', 'fd00::4'];
  const addresses = given.map((address) => ({ address, interface: 'eth0', isDefaultRoute: false }));
  const hello = makeHello({ ...PARTS, addresses });
  expect(hello.addresses.map(({ address }) => address)).toEqual(['10.1.1.4', 'fd00::4']);
});

test('too many addresses, long interface names and clocks of any kind still make a hello', () => {
  const reported = record({ address: string(), interface: string({ maxLength: 200 }) });
  assert(
    property(array(reported, { maxLength: 50 }), double({ noNaN: true }), (some, clockMs) => {
      const many = [...some, ...Array.from({ length: LIMITS.addresses }, () => ({ address: '::1', interface: 'lo' }))];
      const addresses = many.map((each) => ({ ...each, isDefaultRoute: false }));
      expect(parseHello(helloBody(makeHello({ ...PARTS, addresses, clockMs })))).toMatchObject({ ok: true });
    }),
  );
});
