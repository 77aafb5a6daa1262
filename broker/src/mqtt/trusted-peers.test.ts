import { expect, test } from 'vitest';
import { TrustedPeers } from './trusted-peers.ts';

test('addresses and blocks of both families are recognised, however the socket writes them', () => {
  const peers = new TrustedPeers(['192.0.2.10', '10.8.0.0/16', '2001:db8:1::/48']);
  expect(['192.0.2.10', '::ffff:192.0.2.10', '10.8.255.1', '2001:db8:1:2::3'].every((a) => peers.has(a))).toBe(true);
  expect(['192.0.2.11', '10.9.0.1', '2001:db8:2::1', '::1', 'nonsense', ''].some((a) => peers.has(a))).toBe(false);
});

test('nobody is trusted when nobody is named', () => {
  expect(new TrustedPeers([]).has('127.0.0.1')).toBe(false);
});

test.each(['balancer.example', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/8/8', '10.0.0.0/', '::/0', '', '10.0.0.0/-1'])(
  '"%s" is refused',
  (entry) => {
    expect(() => new TrustedPeers([entry])).toThrow(/is not an address/);
  },
);
