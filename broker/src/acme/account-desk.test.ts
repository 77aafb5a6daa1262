import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AccountDesk } from './account-desk.ts';
import type { ImportWishes } from './account-desk.ts';
import { viewKey } from './account-key.ts';
import { loadAccount } from './account.ts';
import { AuthorityRig, failure } from './authority-rig.ts';
import { FileAccountStore } from './file-account-store.ts';
import { KEYS, jwkOf, pemOf } from './test-account-keys.ts';

const never = new AbortController().signal;
const wishes: ImportWishes = { format: 'auto', isForced: false, isOffline: false };

let root: string;
let rig: AuthorityRig;
let store: FileAccountStore;
let desk: AccountDesk;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lanyard-account-desk-'));
  const clock = new VirtualClock();
  rig = new AuthorityRig({ clock });
  await rig.start();
  const file = join(root, 'data', 'ca.json');
  store = new FileAccountStore({ path: file });
  const { directoryUrl } = rig.ca;
  desk = new AccountDesk({ directoryUrl, transport: rig.transport, clock, file, signal: never });
});
afterEach(async () => {
  await rig.stop();
  await rm(root, { recursive: true, force: true });
});

/** A broker with the stored account, for as long as it takes to order. */
async function order(): Promise<string | undefined> {
  const authority = await rig.started({ account: store });
  await authority.newOrder({ names: ['a1b2c3.devices.example'] }, never);
  await authority.stop();
  return authority.accountUrl;
}

/** An account that the CA knows, as certbot keeps it. */
async function certbotAccount(key = KEYS.rsa2048): Promise<string> {
  const made = new Map([['keyPem', pemOf(key)]]);
  const { directoryUrl } = rig.ca;
  const account = { directoryUrl, keyPem: made.get('keyPem') ?? '' };
  const other = rig.build({ account: { read: async () => account, write: async () => {} } });
  await other.start();
  const directory = join(root, `certbot-${viewKey(account.keyPem).thumbprint}`);
  await mkdir(directory);
  await writeFile(join(directory, 'private_key.json'), JSON.stringify(jwkOf(key)));
  await writeFile(join(directory, 'regr.json'), JSON.stringify({ body: {}, uri: other.accountUrl }));
  return directory;
}

describe('an import', () => {
  test.each([
    ['RSA', KEYS.rsa2048],
    ['P-256', KEYS.p256],
    ['P-384', KEYS.p384],
  ])('makes the broker order with that account: %s', async (_kind, key) => {
    const url = rig.ca.url('/account/0');
    const directory = await certbotAccount(key);
    expect(await desk.import(directory, wishes)).toEqual({ url, key: viewKey(pemOf(key)), keptAside: undefined });
    expect(await order()).toBe(url);
    expect(rig.ca.accounts.size).toBe(1);
    expect((await stat(join(root, 'data', 'ca.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(root, 'data'))).toEqual(['ca.json']);
  });

  test('makes no account at the CA, and stores nothing, when the CA does not know the key', async () => {
    const directory = await certbotAccount();
    rig.ca.accounts.clear();
    await expect(desk.import(directory, wishes)).rejects.toMatchObject({
      code: 'account-unusable',
      message: expect.stringContaining('does not know the key'),
    });
    expect(rig.ca.accounts.size).toBe(0);
    expect(await store.read()).toBeUndefined();
  });

  test('of a deactivated account stores nothing', async () => {
    const directory = await certbotAccount();
    rig.ca.closed.add(rig.ca.url('/account/0'));
    await expect(desk.import(directory, wishes)).rejects.toMatchObject({ code: 'authority-refused' });
    expect(await store.read()).toBeUndefined();
  });

  test('while the CA is away stores nothing; offline it does, and the CA is asked later', async () => {
    const directory = await certbotAccount();
    rig.ca.mischief = () => 'cut';
    await expect(desk.import(directory, wishes)).rejects.toMatchObject({ code: 'authority-unreachable' });
    expect(await store.read()).toBeUndefined();
    const before = rig.ca.log.length;
    expect(await desk.import(directory, { ...wishes, isOffline: true })).toMatchObject({
      url: rig.ca.url('/account/0'),
    });
    expect(rig.ca.log).toHaveLength(before);
    rig.ca.mischief = () => undefined;
    expect(await order()).toBe(rig.ca.url('/account/0'));
  });

  test('takes the CA’s word on the URL', async () => {
    const directory = await certbotAccount();
    const uri = rig.ca.url('/old/account/0');
    await writeFile(join(directory, 'regr.json'), JSON.stringify({ uri }));
    expect(await desk.import(directory, { ...wishes, isOffline: true })).toMatchObject({ url: uri });
    expect(await desk.import(directory, wishes)).toMatchObject({ url: rig.ca.url('/account/0'), keptAside: undefined });
  });

  test('over another account is refused, unless it is forced: then that one is kept aside', async () => {
    await order();
    const mine = await readFile(join(root, 'data', 'ca.json'), 'utf8');
    const directory = await certbotAccount();
    await expect(desk.import(directory, wishes)).rejects.toMatchObject({ code: 'config-exists' });
    expect(await readFile(join(root, 'data', 'ca.json'), 'utf8')).toBe(mine);
    const { url, keptAside = '' } = await desk.import(directory, { ...wishes, isForced: true });
    expect(keptAside).toMatch(/ca\.json\.replaced-\d{4}-\d\d-\d\dT[\d-]+Z$/);
    expect(await readFile(keptAside, 'utf8')).toBe(mine);
    expect((await stat(keptAside)).mode & 0o777).toBe(0o600);
    expect(await order()).toBe(url);
  });

  test('in the other format than asked for is refused', async () => {
    const directory = await certbotAccount();
    await expect(desk.import(directory, { ...wishes, format: 'dehydrated' })).rejects.toMatchObject({
      code: 'account-unusable',
      message: expect.stringContaining('account_key.pem is not there'),
    });
  });
});

describe('an export', () => {
  test.each(['certbot', 'dehydrated'] as const)('to %s can be imported elsewhere', async (format) => {
    const url = await order();
    const directory = await desk.export(join(root, 'out'), format);
    const { directoryUrl } = rig.ca;
    const file = join(root, 'elsewhere.json');
    const elsewhere = new AccountDesk({
      directoryUrl,
      transport: rig.transport,
      clock: new VirtualClock(),
      file,
      signal: never,
    });
    expect(await elsewhere.import(directory, wishes)).toMatchObject({ url });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(
      JSON.parse(await readFile(join(root, 'data', 'ca.json'), 'utf8')),
    );
    await expect(desk.export(join(root, 'out'), format)).rejects.toMatchObject({ code: 'config-exists' });
  });

  test('of an account that the CA has not named yet is refused', async () => {
    await loadAccount(store, rig.ca.directoryUrl);
    await expect(desk.export(root, 'certbot')).rejects.toMatchObject({ code: 'account-unusable' });
  });
});

describe('shown', () => {
  test('is what the CA says, and never the key', async () => {
    rig.ca.contact = ['mailto:ops@vendor.example', 'mailto:x\u001b[2J'];
    const url = await order();
    const view = await desk.show({ isOffline: false });
    const { keyPem = '' } = (await store.read()) ?? {};
    expect(view).toEqual({
      directoryUrl: rig.ca.directoryUrl,
      file: join(root, 'data', 'ca.json'),
      url,
      key: viewKey(keyPem),
      isKeyChanging: false,
      // What could write into a terminal is not passed on.
      atCa: { url, status: 'valid', contact: ['mailto:ops@vendor.example'] },
      complaint: undefined,
    });
  });

  test('without the CA is what is stored', async () => {
    const url = await order();
    const before = rig.ca.log.length;
    expect(await desk.show({ isOffline: true })).toMatchObject({ url, atCa: undefined, complaint: undefined });
    expect(rig.ca.log).toHaveLength(before);
    rig.ca.mischief = () => 'cut';
    expect(await desk.show({ isOffline: false })).toMatchObject({
      url,
      atCa: undefined,
      complaint: expect.stringContaining('no usable answer'),
    });
  });

  test('before the CA has named it, it is asked for by its key, and nothing is made', async () => {
    await loadAccount(store, rig.ca.directoryUrl);
    expect(await desk.show({ isOffline: false })).toMatchObject({
      url: undefined,
      complaint: 'it does not know this key',
    });
    expect(rig.ca.accounts.size).toBe(0);
  });

  test('in the middle of a change of its key, either key will do', async () => {
    const url = await order();
    rig.ca.mischief = ({ path }, honest) => {
      if (path === '/key-change') honest();
      return path === '/key-change' || path === '/new-account' ? 'cut' : undefined;
    };
    await failure(desk.rollOver());
    rig.ca.mischief = () => undefined;
    expect(await desk.show({ isOffline: false })).toMatchObject({
      isKeyChanging: true,
      atCa: { url, status: 'valid' },
    });
    await expect(desk.export(root, 'certbot')).rejects.toMatchObject({ code: 'account-unusable' });
  });

  test.each(['show', 'rollOver', 'deactivate'] as const)('without an account there is nothing to %s', async (act) => {
    await expect(desk[act]({ isOffline: true })).rejects.toMatchObject({ code: 'account-unusable' });
    expect(rig.ca.log).toEqual([]);
  });

  test('a file that others may read is refused', async () => {
    await order();
    await chmod(join(root, 'data', 'ca.json'), 0o644);
    await expect(desk.show({ isOffline: true })).rejects.toMatchObject({ code: 'config-unreadable' });
  });
});

test('a new key is used by the next broker', async () => {
  const url = await order();
  const { key: old } = await desk.show({ isOffline: true });
  const key = await desk.rollOver();
  expect(key.thumbprint).not.toBe(old.thumbprint);
  expect(await desk.show({ isOffline: false })).toMatchObject({
    url,
    key,
    isKeyChanging: false,
    atCa: { status: 'valid' },
  });
  expect(await order()).toBe(url);
});

describe('deactivated', () => {
  test('it is kept aside, and the next broker makes another', async () => {
    const url = await order();
    const kept = await desk.deactivate();
    expect(JSON.parse(await readFile(kept, 'utf8'))).toMatchObject({ url });
    expect(await store.read()).toBeUndefined();
    expect([...rig.ca.closed]).toEqual([url]);
    expect(await order()).toBe(rig.ca.url('/account/1'));
  });

  test('it stays where it is when the CA does not agree', async () => {
    const url = await order();
    rig.ca.mischief = ({ path }) => (path === '/account/0' ? 'cut' : undefined);
    await expect(desk.deactivate()).rejects.toMatchObject({ code: 'authority-unreachable' });
    expect(await store.read()).toMatchObject({ url });
  });
});
