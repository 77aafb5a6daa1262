import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

let rig: AuthorityRig;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  rig = new AuthorityRig({ clock });
  await rig.start();
});
afterEach(() => rig.stop());

/** Only somebody else's account is left, so that ours gets another URL. */
function forgetUs(): void {
  const others = rig.ca.accounts.size + 1;
  rig.ca.accounts.clear();
  for (let each = 0; each < others; each++) rig.ca.accounts.set(rig.ca.url(`/somebody/${each}`), '{}');
}

function registrations(): number {
  return rig.ca.log.filter((line) => line === 'POST /new-account').length;
}

describe('an account that the CA has forgotten', () => {
  test('is registered anew with the same key, and the call is repeated', async () => {
    const heard: string[] = [];
    const authority = rig.build();
    authority.onAccount((url) => heard.push(url));
    await authority.start();
    const [key] = rig.ca.accounts.values();
    forgetUs();
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
    const url = rig.ca.url('/account/2');
    expect(rig.ca.accounts.get(url)).toBe(key);
    expect(authority.accountUrl).toBe(url);
    expect(rig.account.writes.at(-1)).toMatchObject({ url });
    expect(heard).toEqual([rig.ca.url('/account/0'), url]);
  });

  test('also one whose URL was stored by an earlier process', async () => {
    await (await rig.started()).stop();
    forgetUs();
    const authority = await rig.started();
    expect(registrations()).toBe(1);
    await authority.newOrder({ names }, never);
    expect(registrations()).toBe(2);
  });

  test('is registered once, however many calls hear of it at once', async () => {
    const authority = await rig.started();
    forgetUs();
    await Promise.all(Array.from({ length: 10 }, () => authority.newOrder({ names }, never)));
    expect(registrations()).toBe(2);
  });

  test('has lost its orders, too, and says so of them', async () => {
    const authority = await rig.started();
    forgetUs();
    const lost = await Promise.all(
      [
        authority.order(rig.ca.url('/order/9'), never),
        authority.authorization(rig.ca.url('/authz/9'), never),
        authority.finalize(rig.ca.url('/finalize/9'), new Uint8Array(1), never),
        authority.certificate(rig.ca.url('/certificate/9'), never),
        authority.trigger(rig.ca.url('/challenge/9'), never),
      ].map(failure),
    );
    expect(lost).toEqual(lost.map(() => expect.objectContaining({ code: 'authority-order-lost' })));
  });

  test('is not registered in a loop at a CA that forgets it at once', async () => {
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-order', problem(400, 'accountDoesNotExist', 'who?'));
    for (let round = 0; round < 3; round++) {
      await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-protocol' });
    }
    expect(registrations()).toBe(2);
    await clock.advance(HOUR_MS);
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-protocol' });
    expect(registrations()).toBe(3);
  });

  test('is registered as soon as a CA that was away is back', async () => {
    const authority = await rig.started();
    forgetUs();
    rig.ca.mischief = misbehaveAt('/new-account', 'cut', 2);
    for (let round = 0; round < 2; round++) {
      await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-unreachable' });
    }
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  });

  test('that the CA does not take any more is asked for once an hour', async () => {
    const authority = await rig.started();
    forgetUs();
    rig.ca.mischief = misbehaveAt('/new-account', problem(403, 'unauthorized', 'no more'));
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-refused' });
    const later = await failure(authority.newOrder({ names }, never));
    expect(later).toMatchObject({ code: 'authority-protocol' });
    expect(registrations()).toBe(2);
    rig.ca.mischief = () => undefined;
    await clock.advance(HOUR_MS);
    expect((await authority.newOrder({ names }, never)).status).toBe('pending');
  });
});

test.each([
  ['malformed', 400],
  ['unauthorized', 403],
  ['badPublicKey', 400],
] as const)('%s says nothing of the account, which is not registered anew', async (type, status) => {
  const authority = await rig.started();
  rig.ca.mischief = misbehaveAt('/new-order', problem(status, type, 'no'));
  await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-refused' });
  expect(registrations()).toBe(1);
});
