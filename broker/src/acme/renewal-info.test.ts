import type { ErrorCode } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AcmeAuthority } from './acme-authority.ts';
import { AuthorityRig, failure, misbehaveAt } from './authority-rig.ts';
import { problem } from './hostile-ca.ts';
import type { Fault } from './hostile-ca.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;

let rig: AuthorityRig;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  rig = new AuthorityRig({ clock });
  await rig.start();
});
afterEach(() => rig.stop());

async function offering(fault: Fault): Promise<AcmeAuthority> {
  rig.ca.extraResources = { renewalInfo: rig.ca.url('/renewal-info') };
  rig.ca.mischief = misbehaveAt('/renewal-info', fault);
  return await rig.started();
}

async function refusing(fault: Fault): Promise<AcmeAuthority> {
  rig.ca.extraResources = { renewalInfo: rig.ca.url('/renewal-info') };
  const authority = await rig.started();
  rig.ca.mischief = misbehaveAt('/new-order', fault);
  return authority;
}

describe('renewal information', () => {
  const id = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
  const suggestedWindow = { start: '2026-11-23T00:00:00Z', end: '2026-11-24T00:00:00Z' };
  const window = { startMs: Date.UTC(2026, 10, 23), endMs: Date.UTC(2026, 10, 24) };
  const answer = { status: 200, headers: { 'retry-after': '21600' }, body: { suggestedWindow } };

  test('costs one request, unsigned and without a nonce', async () => {
    const authority = await offering(answer);
    const before = rig.ca.log.length;
    expect(await authority.renewalInfo(id, never)).toEqual({ window, retryAfterMs: 21_600_000 });
    expect(rig.ca.log.slice(before)).toEqual([`GET /renewal-info/${id}`]);
    expect(clock.nextTimerMs()).toBeUndefined();
  });

  test('is nothing at a CA that has none, which is not asked', async () => {
    const authority = await rig.started();
    const before = rig.ca.log.length;
    expect(await authority.renewalInfo(id, never)).toBeUndefined();
    expect(rig.ca.log).toHaveLength(before);
  });

  test('of a CA that was down at the start: its directory is read first', async () => {
    rig.ca.mischief = misbehaveAt('/directory', 'cut', 1);
    const authority = await rig.started();
    rig.ca.extraResources = { renewalInfo: rig.ca.url('/renewal-info/') };
    rig.ca.mischief = misbehaveAt('/renewal-info/', answer);
    expect(await authority.renewalInfo(id, never)).toMatchObject({ window });
    expect(rig.ca.log.at(-1)).toBe(`GET /renewal-info/${id}`);
  });

  test.each<[string, Fault, ErrorCode, number | undefined]>([
    ['does not know it', problem(404, 'malformed', 'Certificate not found'), 'authority-refused', undefined],
    ['has a page of HTML for it', { status: 404, body: '<html>' }, 'authority-protocol', undefined],
    ['sends HTML as success', { status: 200, body: '<html>' }, 'authority-protocol', undefined],
    ['sends no window', { status: 200, body: {} }, 'authority-protocol', undefined],
    ['sends a huge answer', { status: 200, body: 'x'.repeat(2 ** 21) }, 'authority-protocol', undefined],
    ['redirects', { status: 301, headers: { location: '/other' } }, 'authority-protocol', undefined],
    ['is busy', { status: 503, headers: { 'retry-after': '30' } }, 'authority-rate-limited', 30_000],
    [
      'limits',
      { ...problem(429, 'rateLimited', 'slow'), headers: { 'retry-after': '9' } },
      'authority-rate-limited',
      9_000,
    ],
    ['is broken', { status: 500 }, 'authority-unreachable', undefined],
    ['cuts connections', 'cut', 'authority-unreachable', undefined],
  ])('of a CA that %s is one typed error', async (_what, fault, code, retryAfterMs) => {
    const authority = await offering(fault);
    await expect(authority.renewalInfo(id, never)).rejects.toMatchObject({ code, retryAfterMs });
    expect(rig.ca.log.filter((line) => line.startsWith('GET /renewal-info'))).toHaveLength(1);
  });

  test('that never comes is given up when the caller says so, and after a minute by itself', async () => {
    const authority = await offering('stall');
    const controller = new AbortController();
    const first = rig.ca.stalled();
    const aborted = failure(authority.renewalInfo(id, controller.signal));
    await first;
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'stopped' });
    const second = rig.ca.stalled();
    const late = failure(authority.renewalInfo(id, never));
    await second;
    await clock.advance(60_000);
    expect(await late).toMatchObject({ code: 'authority-unreachable' });
  });
});

describe('an order that replaces a certificate', () => {
  const replaces = 'aYhba4.AIdl';

  test.each<[string, Fault, ErrorCode]>([
    ['already replaced', problem(409, 'alreadyReplaced', 'x'), 'authority-replacement-refused'],
    ['of another account', problem(403, 'unauthorized', 'x'), 'authority-replacement-refused'],
    ['unknown', problem(404, 'malformed', 'x'), 'authority-replacement-refused'],
    ['of a name that is refused', problem(403, 'rejectedIdentifier', 'x'), 'authority-rejected-name'],
    ['at a CA over its limit', problem(429, 'rateLimited', 'x'), 'authority-rate-limited'],
  ])('%s', async (_what, fault, code) => {
    const authority = await refusing(fault);
    await expect(authority.newOrder({ names, replaces }, never)).rejects.toMatchObject({ code });
  });

  test('is refused for that only when it said so', async () => {
    const authority = await refusing(problem(403, 'unauthorized', 'x'));
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ code: 'authority-refused' });
  });

  test('was not refused for that where the account is refused', async () => {
    rig.ca.extraResources = { renewalInfo: rig.ca.url('/renewal-info') };
    rig.ca.mischief = misbehaveAt('/directory', 'cut', 1);
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-account', problem(403, 'unauthorized', 'no'));
    const order = authority.newOrder({ names, replaces }, never);
    await expect(order).rejects.toMatchObject({ code: 'authority-refused' });
  });

  test('is none at a CA without renewal information, and refused as any other', async () => {
    const authority = await rig.started();
    rig.ca.mischief = misbehaveAt('/new-order', problem(403, 'unauthorized', 'x'));
    const order = authority.newOrder({ names, replaces }, never);
    await expect(order).rejects.toMatchObject({ code: 'authority-refused' });
  });
});
