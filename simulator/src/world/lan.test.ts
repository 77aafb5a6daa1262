import { expect, test } from 'vitest';
import { Lan } from './lan.ts';
import { UNHINDERED } from './site.ts';

const endpoint = { host: '127.0.0.1', port: 4_443 };
const lan = (): Lan =>
  new Lan({ name: 'site-1', kind: 'home', lan: '192.168.1', publicAddress: '198.18.0.1', ...UNHINDERED });

test('every client has an address of its own, and keeps it', () => {
  const here = lan();
  const addresses = Array.from({ length: 231 }, (_, n) => here.lease(`client-${n}`));
  expect(addresses[0]).toBe('192.168.1.20');
  expect(new Set(addresses).size).toBe(231);
  expect(here.lease('client-7')).toBe(addresses[7]);
});

test('a LAN that is full says so', () => {
  const here = lan();
  for (let n = 0; n < 231; n++) here.lease(`client-${n}`);
  expect(() => here.lease('one too many')).toThrow('the LAN of site-1 has no free address');
});

test('who moves is found at the new address and no more at the old one', () => {
  const here = lan();
  const former = here.lease('client');
  here.attach(former, endpoint);
  const address = here.renumber('client');
  expect(address).not.toBe(former);
  expect(here.lease('client')).toBe(address);
  expect(here.reach(former)).toBeUndefined();
  expect(here.reach(address)).toEqual(endpoint);
  here.detach(address);
  expect(here.reach(address)).toBeUndefined();
});
