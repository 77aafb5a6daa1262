import { silentLogger } from '@lanyard/sdk/kernel';
import { expect, test } from 'vitest';
import { CaaPin } from './caa-pin.ts';
import type { ChallengeKind } from './certificates/challenge-kind.ts';
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
  return pinnedAll([{ account, identity: identity ?? undefined }]);
}

function pinnedAll(
  cas: readonly {
    readonly account: { readonly url: string | undefined };
    readonly identity: string | undefined;
    readonly challenge?: ChallengeKind;
  }[],
): [CaaPin, Zones] {
  const zones = new Zones();
  const issuers = cas.map(({ account, identity, challenge = 'dns-01' as const }) => ({
    identity,
    challenge,
    accountUrl: () => account.url,
  }));
  return [new CaaPin({ apex: APEX, issuers, zones, log: silentLogger }), zones];
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

test('each CA may prove names only in the way that it is asked for', async () => {
  const [pin, zones] = pinnedAll([
    { account: { url: 'https://ca.example/1' }, identity: 'ca.example', challenge: 'dns-persist-01' },
    { account: { url: 'https://other.example/2' }, identity: 'other.example', challenge: 'http-01' },
  ]);
  await pin.start();
  expect(zones.issuers).toEqual([
    `${APEX}, issue ca.example; accounturi=https://ca.example/1; validationmethods=dns-persist-01, ` +
      'issue other.example; accounturi=https://other.example/2; validationmethods=http-01, issuewild ;',
  ]);
});

test('every CA of the settings may issue, as soon as its account is known', async () => {
  const second: { url: string | undefined } = { url: undefined };
  const [pin, zones] = pinnedAll([
    { account: { url: 'https://ca.example/1' }, identity: 'ca.example' },
    { account: second, identity: 'other.example' },
  ]);
  await pin.start();
  expect(zones.issuers.at(-1)).toBe(recordsFor('https://ca.example/1'));
  second.url = 'https://other.example/2';
  await pin.start();
  expect(zones.issuers.at(-1)).toBe(
    `${APEX}, issue ca.example; accounturi=https://ca.example/1; validationmethods=dns-01, ` +
      'issue other.example; accounturi=https://other.example/2; validationmethods=dns-01, issuewild ;',
  );
});
