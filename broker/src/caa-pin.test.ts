import { silentLogger } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { CaaPin } from './caa-pin.ts';
import type { CaaPinParts } from './caa-pin.ts';

const APEX = 'devices.example.com';

class Zones {
  readonly issuers: string[] = [];
  failures = 0;

  async setCaa(apex: string, records: Parameters<CaaPinParts['zones']['setCaa']>[1]): Promise<void> {
    if (this.failures-- > 0) throw new Error('the DNS is busy');
    this.issuers.push([apex, ...records.map(({ tag, value }) => `${tag} ${value}`)].join(', '));
  }
}

function pinned(account: { url: string | undefined }, identity: string | null = 'ca.example'): [CaaPin, Zones] {
  const zones = new Zones();
  const caaIdentity = identity ?? undefined;
  const parts = { apex: APEX, caaIdentity, accountUrl: () => account.url, zones, log: silentLogger };
  return [new CaaPin(parts), zones];
}

const recordsFor = (url: string): string =>
  `${APEX}, issue ca.example; accounturi=${url}; validationmethods=dns-01, issuewild ;`;

test('the account is pinned once, however often it is said', async () => {
  const [pin, zones] = pinned({ url: 'https://ca.example/1' });
  await Promise.all([pin.start(), pin.start()]);
  await pin.start();
  expect(zones.issuers).toEqual([recordsFor('https://ca.example/1')]);
});

test('an account that is known late is pinned then', async () => {
  const account: { url: string | undefined } = { url: undefined };
  const [pin, zones] = pinned(account);
  await pin.start();
  expect(zones.issuers).toEqual([]);
  account.url = 'https://ca.example/1';
  await pin.start();
  expect(zones.issuers).toHaveLength(1);
});

test('an account that gets another URL is pinned anew', async () => {
  const account = { url: 'https://ca.example/1' };
  const [pin, zones] = pinned(account);
  await pin.start();
  account.url = 'https://ca.example/2';
  await pin.start();
  expect(zones.issuers.at(-1)).toBe(recordsFor('https://ca.example/2'));
});

test('what could not be published is published the next time', async () => {
  const [pin, zones] = pinned({ url: 'https://ca.example/1' });
  zones.failures = 1;
  await pin.start();
  await pin.start();
  expect(zones.issuers).toHaveLength(1);
});

test('nothing is pinned for a CA whose name in CAA is not known', async () => {
  const [pin, zones] = pinned({ url: 'https://ca.example/1' }, null);
  await pin.start();
  expect(zones.issuers).toEqual([]);
});
