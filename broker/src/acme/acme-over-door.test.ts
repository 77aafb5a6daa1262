import { createHash } from 'node:crypto';
import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { crypto } from 'acme-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AcmeAuthority } from './acme-authority.ts';
import { acmeOverDoor } from './acme-over-door.ts';
import type { AcmeDoor, AcmeDoorAnswer, AcmeDoorRequest, AcmeOverDoorOptions } from './acme-over-door.ts';
import { HostileCa, TOKEN, problem } from './hostile-ca.ts';

const names = ['a1b2c3.devices.example'];
const never = new AbortController().signal;

let ca: HostileCa;
let clock: VirtualClock;
let asked: AcmeDoorRequest[];
/** Instead of the CA's own answer. */
let meddle: (request: AcmeDoorRequest) => Promise<AcmeDoorAnswer> | undefined;

beforeEach(async () => {
  ca = new HostileCa();
  clock = new VirtualClock();
  asked = [];
  meddle = () => undefined;
  await ca.start();
});
afterEach(() => ca.stop());

/** Stands for a CA in the same process: it looks at nothing but what the door hands over. */
const door: AcmeDoor = async (request) => {
  asked.push(request);
  const meddled = meddle(request);
  if (meddled) return await meddled;
  const { method, path, body } = request;
  const answer = await fetch(ca.url(path), { method, ...(body !== undefined && { body }) });
  const found = ['Replay-Nonce', 'Location', 'Retry-After'].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status: answer.status, headers: Object.fromEntries(found), body: await answer.text() };
};

async function started(options: Partial<AcmeOverDoorOptions> = {}): Promise<AcmeAuthority> {
  const { directoryUrl } = ca;
  const authority = acmeOverDoor({ directoryUrl, door, clock, log: silentLogger, ...options });
  await authority.start();
  return authority;
}

describe('the way through the door', () => {
  test('an order is made, proved and answered without a socket of ours', async () => {
    const authority = await started();
    const order = await authority.newOrder({ names }, never);
    expect(order).toMatchObject({ status: 'pending', url: ca.url('/order/0') });
    const { challenge } = await authority.authorization(order.authorizationUrls[0]!, never);
    const [, account] = [...ca.accounts][0]!;
    const jwk: unknown = JSON.parse(account);
    const thumbprint = createHash('sha256').update(canonical(jwk)).digest('base64url');
    const proof = createHash('sha256').update(`${TOKEN}.${thumbprint}`).digest('base64url');
    expect(challenge).toMatchObject({ record: { name: `_acme-challenge.${names[0]}`, value: proof } });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /directory',
      'HEAD /new-nonce',
      'POST /new-account',
      'POST /new-order',
      'POST /authz/0',
    ]);
    expect(asked.map(({ body }) => body !== undefined)).toEqual([false, false, true, true, true]);
  });

  test('a query belongs to the path', async () => {
    ca.extraResources = { newOrder: ca.url('/new-order?shard=7') };
    const authority = await started();
    meddle = ({ path }) => (path.startsWith('/new-order') ? answerOf(403, 'malformed') : undefined);
    await authority.newOrder({ names }, never).catch(() => {});
    expect(asked.at(-1)!.path).toBe('/new-order?shard=7');
  });

  test('a nonce that was refused is replaced by that of the refusal', async () => {
    const authority = await started();
    let refusals = 0;
    ca.mischief = ({ path }) => (path === '/new-order' && refusals++ < 2 ? 'bad-nonce' : undefined);
    expect(await authority.newOrder({ names }, never)).toMatchObject({ status: 'pending' });
    expect(asked.filter(({ path }) => path === '/new-order')).toHaveLength(3);
  });

  test('renewal information is asked for as it is, without a nonce', async () => {
    ca.extraResources = { renewalInfo: ca.url('/renewal-info') };
    const authority = await started();
    const suggestedWindow = { start: '2026-11-23T00:00:00Z', end: '2026-11-24T00:00:00Z' };
    meddle = async () => ({
      status: 200,
      headers: { 'Retry-After': '21600' },
      body: JSON.stringify({ suggestedWindow }),
    });
    asked = [];
    expect(await authority.renewalInfo('aYhba4.AIdl', never)).toEqual({
      window: { startMs: Date.UTC(2026, 10, 23), endMs: Date.UTC(2026, 10, 24) },
      retryAfterMs: 21_600_000,
    });
    expect(asked).toEqual([{ method: 'GET', path: '/renewal-info/aYhba4.AIdl', body: undefined }]);
  });

  test('headers are found however the CA writes their names', async () => {
    const authority = await started();
    meddle = ({ path }) => {
      if (path !== '/new-order') return undefined;
      const { status, body } = problem(429, 'rateLimited', 'too many');
      const headers = { 'retry-after': ['90', '5'], 'REPLAY-NONCE': 'bm9uY2U' };
      return Promise.resolve({ status, headers, body: JSON.stringify(body) });
    };
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({
      code: 'authority-rate-limited',
      retryAfterMs: 90_000,
    });
  });

  test('an answer that names a date is read by the virtual clock', async () => {
    const authority = await started();
    meddle = ({ path }) => {
      if (path !== '/new-order') return undefined;
      const { status, body } = problem(429, 'rateLimited', 'too many');
      const headers = { 'Retry-After': new Date(clock.nowMs() + 120_000).toUTCString() };
      return Promise.resolve({ status, headers, body: JSON.stringify(body) });
    };
    await expect(authority.newOrder({ names }, never)).rejects.toMatchObject({ retryAfterMs: 120_000 });
  });
});

describe('when it cannot be asked', () => {
  test('a door that hangs up is an unreachable CA, with the cause', async () => {
    const authority = await started();
    const cause = new Error('socket hang up');
    meddle = () => Promise.reject(cause);
    const error: unknown = await authority.newOrder({ names }, never).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: 'authority-unreachable' });
    expect(causesOf(error)).toContain(cause);
  });

  test('whoever has stopped waiting does not ask', async () => {
    const authority = await started();
    const before = asked.length;
    await expect(authority.newOrder({ names }, AbortSignal.abort())).rejects.toMatchObject({ code: 'stopped' });
    expect(asked).toHaveLength(before);
  });
});

describe('the account', () => {
  test('a given key is used, and known again by the CA', async () => {
    const accountKeyPem = (await crypto.createPrivateEcdsaKey()).toString();
    await started({ accountKeyPem });
    await started({ accountKeyPem });
    await started();
    expect(ca.accounts.size).toBe(2);
  });

  test('lives as long as the authority: the next life of the broker opens no other', async () => {
    const authority = await started();
    await authority.stop();
    await authority.start();
    await authority.newOrder({ names }, never);
    expect(ca.accounts.size).toBe(1);
  });

  test('the profile is asked for', async () => {
    ca.meta = { profiles: { shortlived: 'six days' } };
    const authority = await started({ profile: 'shortlived' });
    await authority.newOrder({ names }, never);
    expect(ca.received.findLast(({ path }) => path === '/new-order')!.payload).toMatchObject({ profile: 'shortlived' });
  });
});

/** RFC 7638 §3: the required members in the order of the alphabet. */
function canonical(jwk: unknown): string {
  const member = (name: string): unknown => Reflect.get(Object(jwk), name);
  return JSON.stringify({ crv: member('crv'), kty: member('kty'), x: member('x'), y: member('y') });
}

function causesOf(error: unknown): readonly unknown[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [error];
}

function answerOf(status: number, type: string): Promise<AcmeDoorAnswer> {
  return Promise.resolve({ status, headers: {}, body: JSON.stringify(problem(status, type, 'no').body) });
}
