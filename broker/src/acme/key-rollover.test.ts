import { VirtualClock } from '@lanyard/sdk/testing';
import { silentLogger } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountRecord, AccountStore } from './account.ts';
import { AccountInquiry } from './account-inquiry.ts';
import type { Signer } from './account-inquiry.ts';
import { viewKey } from './account-key.ts';
import { AuthorityRig, failure } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';
import type { Mischief } from './hostile-ca.ts';
import { rollOver } from './key-rollover.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;

let clock: VirtualClock;
let rig: AuthorityRig;
let inquiry: AccountInquiry;
let before: AccountRecord & Signer;

beforeEach(async () => {
  clock = new VirtualClock();
  rig = new AuthorityRig({ clock });
  await rig.start();
  inquiry = new AccountInquiry({ directoryUrl: rig.ca.directoryUrl, transport: rig.transport, clock });
  await (await rig.started()).stop();
  before = await stored();
});
afterEach(() => rig.stop());

async function stored(): Promise<AccountRecord & Signer> {
  const record = await rig.account.read();
  if (record?.url === undefined) throw new Error('no account');
  return { ...record, url: record.url };
}

/** The next start of the broker: it must come to an order with the same account, whatever happened before. */
async function nextLifeOrders(): Promise<void> {
  rig.ca.mischief = () => undefined;
  const authority = await rig.started();
  expect(authority.accountUrl).toBe(before.url);
  expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  await authority.stop();
  expect(rig.ca.accounts.size).toBe(1);
}

describe('a new key', () => {
  test('is stored before the CA hears of it, and then signs in place of the old one', async () => {
    const pending: unknown[] = [];
    rig.ca.mischief = ({ path }) => {
      if (path === '/key-change') pending.push(rig.account.writes.at(-1));
      return undefined;
    };
    const after = await rollOver({ store: rig.account, inquiry }, before, never);
    expect(pending).toEqual([{ ...before, nextKeyPem: after.keyPem }]);
    expect(after).toEqual({ directoryUrl: before.directoryUrl, url: before.url, keyPem: after.keyPem });
    expect(after.keyPem).not.toBe(before.keyPem);
    expect(await rig.account.read()).toEqual(after);
    expect(await failure(inquiry.look(before, never))).toMatchObject({ code: 'authority-refused' });
    expect(await inquiry.find(before.keyPem, never)).toBeUndefined();
    expect(viewKey(after.keyPem).kind).toBe('EC P-256');
    await nextLifeOrders();
  });

  test('survives refused nonces', async () => {
    let refusals = 0;
    rig.ca.mischief = ({ path }) => (path === '/key-change' && refusals++ < 3 ? 'bad-nonce' : undefined);
    const after = await rollOver({ store: rig.account, inquiry }, before, never);
    expect(await inquiry.look({ ...before, keyPem: after.keyPem }, never)).toMatchObject({ status: 'valid' });
  });
});

/** Everything after the given moment fails, as when the process is killed then. */
const killedAt: Readonly<Record<string, () => Mischief>> = {
  'before the directory is fetched': () => () => 'cut',
  'before a nonce is fetched': () => killFrom((path) => path === '/new-nonce' || path === '/key-change'),
  'before the CA got the request': () => killFrom((path) => path === '/key-change'),
  'after the CA changed the key, before its answer came': () =>
    killFrom(
      (path) => path === '/key-change',
      (honest) => honest(),
    ),
};

function killFrom(isMoment: (path: string) => boolean, last: (honest: () => unknown) => void = () => {}): Mischief {
  let isDead = false;
  return ({ path }, honest) => {
    if (!isDead && !isMoment(path)) return undefined;
    if (!isDead) last(honest);
    isDead = true;
    return 'cut';
  };
}

describe('a crash', () => {
  test.each(Object.keys(killedAt))('%s leaves a usable account, and the same command goes on', async (moment) => {
    rig.ca.mischief = killedAt[moment]?.() ?? (() => undefined);
    expect(await failure(rollOver({ store: rig.account, inquiry }, before, never))).toMatchObject({
      code: 'authority-unreachable',
      message: expect.stringContaining('the same command goes on'),
    });
    const pending = await stored();
    expect(pending.nextKeyPem).toBeDefined();
    await nextLifeOrders();
    const after = await rollOver({ store: rig.account, inquiry }, await stored(), never);
    // Not a third key, but the one that was made then; unless that one is in use already.
    expect(after.keyPem === pending.nextKeyPem).toBe(moment.startsWith('before'));
    expect(await stored()).toEqual({ directoryUrl: before.directoryUrl, url: before.url, keyPem: after.keyPem });
    await nextLifeOrders();
  });

  test.each([
    ['before the new key is stored', 1, false],
    ['just after the new key was stored', 1, true],
    ['before the new key is stored as the only one', 2, false],
    ['just after it was stored as the only one', 2, true],
  ])('%s leaves a usable account', async (_moment, number, isWritten) => {
    let writes = 0;
    const store: AccountStore = {
      read: () => rig.account.read(),
      write: async (record) => {
        writes += 1;
        if (writes < number || (writes === number && isWritten)) await rig.account.write(record);
        if (writes >= number) throw new Error('killed');
      },
    };
    expect(await failure(rollOver({ store, inquiry }, before, never))).toMatchObject({ message: 'killed' });
    expect(rig.ca.log.includes('POST /key-change')).toBe(number === 2);
    await nextLifeOrders();
    await rollOver({ store: rig.account, inquiry }, await stored(), never);
    expect((await stored()).nextKeyPem).toBeUndefined();
    await nextLifeOrders();
  });

  test('is told at the next start as long as the old key counts', async () => {
    rig.ca.mischief = killedAt['before the CA got the request']?.() ?? (() => undefined);
    await failure(rollOver({ store: rig.account, inquiry }, before, never));
    rig.ca.mischief = () => undefined;
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_fields: unknown, message: string) => void warnings.push(message) };
    await rig.started({ log });
    expect(warnings).toEqual(['the account’s key was not changed: `lanyard account rollover`']);
  });
});

describe('an answer that was lost', () => {
  test('is made good by asking whose key the CA knows', async () => {
    rig.ca.mischief = ({ path }, honest) => {
      if (path !== '/key-change') return undefined;
      honest();
      return { status: 502, body: '<html>bad gateway</html>' };
    };
    const after = await rollOver({ store: rig.account, inquiry }, before, never);
    expect(await inquiry.look({ ...before, keyPem: after.keyPem }, never)).toMatchObject({ status: 'valid' });
    expect((await stored()).nextKeyPem).toBeUndefined();
    await nextLifeOrders();
  });
});

describe('a refusal', () => {
  test('leaves the old key alone', async () => {
    const fault = problem(400, 'badPublicKey', 'weak');
    rig.ca.mischief = ({ path }) => (path === '/key-change' ? fault : undefined);
    expect(await failure(rollOver({ store: rig.account, inquiry }, before, never))).toMatchObject({
      code: 'authority-refused',
      message: 'the CA refused: weak',
    });
    expect(await stored()).toEqual(before);
    await nextLifeOrders();
  });

  test('is what a CA without key change gives', async () => {
    rig.ca.extraResources = { keyChange: undefined };
    expect(await failure(rollOver({ store: rig.account, inquiry }, before, never))).toMatchObject({
      code: 'authority-refused',
      message: 'the CA does not offer to change keys',
    });
    expect(await stored()).toEqual(before);
  });
});
