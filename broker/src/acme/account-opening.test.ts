import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';
import type { Fault } from './hostile-ca.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;

let rig: AuthorityRig;

beforeEach(async () => {
  rig = new AuthorityRig({ clock: new VirtualClock() });
  await rig.start();
});
afterEach(() => rig.stop());

describe('the account', () => {
  test('its key is kept before the CA hears of it', async () => {
    let kept = 0;
    rig.ca.mischief = ({ path }) => {
      if (path === '/new-account') kept = rig.account.writes.length;
      return undefined;
    };
    const authority = await rig.started({ contact: ['mailto:ops@vendor.example'] });
    expect(kept).toBe(1);
    expect(rig.account.writes.map(({ url }) => url)).toEqual([undefined, rig.ca.url('/account/0')]);
    expect(authority.accountUrl).toBe(rig.ca.url('/account/0'));
    expect(rig.ca.received.find(({ path }) => path === '/new-account')?.payload).toEqual({
      termsOfServiceAgreed: true,
      contact: ['mailto:ops@vendor.example'],
    });
  });

  test('a crash before the CA’s answer was kept finds the same account again', async () => {
    rig.ca.mischief = (request, honest) => {
      if (request.path !== '/new-account') return undefined;
      honest();
      return 'cut';
    };
    await (await rig.started()).stop();
    expect(rig.account.writes.map(({ url }) => url)).toEqual([undefined]);
    rig.ca.mischief = () => undefined;
    expect((await rig.started()).accountUrl).toBe(rig.ca.url('/account/0'));
    expect(rig.ca.accounts.size).toBe(1);
  });

  test('once known, it is not asked for again', async () => {
    await (await rig.started()).stop();
    const before = rig.ca.log.length;
    expect((await rig.started()).accountUrl).toBe(rig.ca.url('/account/0'));
    expect(rig.ca.log.slice(before)).toEqual(['GET /directory']);
  });

  test('an existing account without a URL does not make acme-client ask for ever', async () => {
    rig.ca.mischief = (request) =>
      request.path === '/new-account' ? { status: 200, body: { status: 'valid' } } : undefined;
    await rig.started();
    expect(rig.ca.log.filter((line) => line === 'POST /new-account')).toHaveLength(1);
  });

  test('is tied to the CA’s customer where that is configured', async () => {
    const hmacKey = Buffer.from('a shared secret').toString('base64url');
    await rig.started({ externalAccount: { kid: 'customer-7', hmacKey } });
    const payload = rig.ca.received.find(({ path }) => path === '/new-account')?.payload;
    expect(payload).toMatchObject({
      externalAccountBinding: { payload: expect.any(String), signature: expect.any(String) },
    });
  });

  test('a refusal of the account keeps the broker from starting', async () => {
    rig.ca.mischief = misbehaveAt('/new-account', problem(400, 'invalidContact', 'no such domain'));
    await expect(rig.build().start()).rejects.toMatchObject({ code: 'authority-refused' });
  });
});

describe('a CA that is down at the start', () => {
  const faults: readonly (readonly [string, Fault])[] = [
    ['cuts connections', 'cut'],
    ['shows a maintenance page', { status: 503, body: '<html>back soon</html>' }],
    ['shows a page instead of its directory', { status: 200, body: '<html>welcome</html>' }],
    ['has an empty directory', { status: 200, body: {} }],
  ];
  test.each(faults)('does not keep the broker from starting, and is tried again: it %s', async (_what, fault) => {
    rig.ca.mischief = misbehaveAt('/directory', fault);
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_fields: unknown, message: string) => void warnings.push(message) };
    const authority = await rig.started({ log });
    expect(warnings).toHaveLength(1);
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: expect.stringMatching(/^auth/) });
    rig.ca.mischief = () => undefined;
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  });

  test('is asked once, however many orders wait for it', async () => {
    rig.ca.mischief = misbehaveAt('/directory', 'cut', 1);
    const authority = await rig.started();
    await Promise.all(Array.from({ length: 10 }, () => authority.newOrder({ names }, never)));
    // The one that failed, ours, and none from the ten.
    expect(rig.ca.log.filter((line) => line === 'GET /directory')).toHaveLength(2);
    expect(rig.ca.accounts.size).toBe(1);
  });

  test('lets go of a waiting call that is aborted', async () => {
    rig.ca.mischief = misbehaveAt('/directory', 'cut', 1);
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/directory', 'stall');
    const controller = new AbortController();
    const stalled = rig.ca.stalled();
    const order = failure(authority.newOrder({ names }, controller.signal));
    await stalled;
    controller.abort();
    expect(await order).toMatchObject({ code: 'stopped' });
  });
});

describe('profile and predecessor', () => {
  test('are sent with the order where the CA knows of such things', async () => {
    rig.ca.meta = { profiles: { shortlived: 'x', classic: 'y' } };
    rig.ca.extraResources = { renewalInfo: rig.ca.url('/renewal-info') };
    const authority = await rig.started({ profile: 'classic' });
    await authority.newOrder({ names, replaces: 'aYhba4.AIdl' }, never);
    await authority.newOrder({ names, profile: 'shortlived' }, never);
    const sent = rig.ca.received.filter(({ path }) => path === '/new-order').map(({ payload }) => payload);
    const identifiers = [{ type: 'dns', value: names[0] }];
    expect(sent).toEqual([
      { identifiers, profile: 'classic', replaces: 'aYhba4.AIdl' },
      { identifiers, profile: 'shortlived' },
    ]);
  });

  test('a CA without renewal information is told of no predecessor', async () => {
    const authority = await rig.started();
    await authority.newOrder({ names, replaces: 'aYhba4.AIdl' }, never);
    expect(rig.ca.received.at(-1)?.payload).toEqual({ identifiers: [{ type: 'dns', value: names[0] }] });
  });

  test('a profile that the CA does not offer is said at the start', async () => {
    rig.ca.meta = { profiles: { classic: 'x' } };
    const start = rig.build({ profile: 'shortlived' }).start();
    await expect(start).rejects.toMatchObject({
      code: 'config-invalid',
      message: 'the CA has no profile shortlived; it offers classic',
    });
    expect(rig.ca.accounts.size).toBe(0);
  });
});
