import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { describe, expect, test } from 'vitest';
import { makeAccount } from './account.ts';
import { createAcmeDnsApi } from './acme-dns-api.ts';
import type { Admission } from './acme-dns-api.ts';
import { Networks } from './networks.ts';

const LOCAL = '127.0.0.1';
const TXT = 'LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM';
const OPEN: Admission = { kind: 'open', from: new Networks(['127.0.0.0/8']) };
const { account } = makeAccount(
  { bytes: (count) => new Uint8Array(count), uniform: () => 0 },
  { allowFrom: [], createdAtMs: 0 },
);
const RIGHT = { 'x-api-user': account.username, 'x-api-key': 'right' };
const MADE = { username: 'u', password: 'p', name: 's.example', label: 's', allowFrom: [] };
const TOLD = { username: 'u', password: 'p', fulldomain: 's.example', subdomain: 's', allowfrom: [] };

function bench({
  admission = OPEN,
  peer = LOCAL,
  failure,
}: { admission?: Admission; peer?: string; failure?: Error } = {}) {
  const calls: unknown[] = [];
  const called = async <T>(what: unknown, answer: T): Promise<T> => {
    if (failure) throw failure;
    calls.push(what);
    return answer;
  };
  const clock = new VirtualClock();
  const api = createAcmeDnsApi({
    accounts: {
      register: (allowFrom) => called({ allowFrom }, MADE),
      authenticate: ({ username, password, from }) =>
        username === account.username && password === 'right' && from !== '198.51.100.1' ? account : undefined,
      update: (_account, text) => called(text, undefined),
    },
    admission,
    proxies: new Networks([LOCAL]),
    peerOf: () => peer,
    clock,
    log: silentLogger,
  });
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await api.request(path, { method: 'POST', body, headers });
    const said: unknown = await answer.json();
    return [answer.status, said] as const;
  };
  const update = (wish: object, headers: Record<string, string> = RIGHT) =>
    post('/update', JSON.stringify({ subdomain: account.label, txt: TXT, ...wish }), headers);
  return { api, post, update, calls, clock };
}

test('it is well', async () => {
  expect((await bench().api.request('/health')).status).toBe(200);
});

describe('POST /register', () => {
  test.each([
    ['', []],
    ['null', []],
    ['{}', []],
    ['{"allowfrom":null}', []],
    ['{"allowfrom":["192.0.2.0/24"]}', ['192.0.2.0/24']],
  ])('of %j makes an account', async (body, allowFrom) => {
    const { post, calls } = bench();
    expect(await post('/register', body)).toEqual([201, TOLD]);
    expect(calls).toEqual([{ allowFrom }]);
  });

  test.each(['{', '[]', '"x"', '{"allowfrom":"192.0.2.0/24"}', '{"allowfrom":[7]}'])(
    'of %s makes none',
    async (body) => {
      const { post, calls } = bench();
      expect(await post('/register', body)).toEqual([400, { error: 'malformed_json_payload' }]);
      expect(calls).toEqual([]);
    },
  );

  test('reads no more than a registration has', async () => {
    expect(await bench().post('/register', ' '.repeat(4_097))).toEqual([413, { error: 'malformed_json_payload' }]);
  });

  test('is not there when it is closed', async () => {
    expect(await bench({ admission: { kind: 'closed' } }).post('/register', '')).toEqual([404, { error: 'not_found' }]);
  });

  const tokens = { kind: 'token', tokens: ['admin', 'installer'] } as const;
  test.each<[Admission, string, Record<string, string>, number]>([
    [tokens, LOCAL, { authorization: 'Bearer admin' }, 201],
    [tokens, '198.51.100.1', { authorization: 'Bearer installer' }, 201],
    [tokens, LOCAL, { authorization: 'Bearer other' }, 401],
    [tokens, LOCAL, { authorization: 'Basic admin' }, 401],
    [tokens, LOCAL, {}, 401],
    [OPEN, '198.51.100.1', {}, 401],
    [OPEN, '198.51.100.1', { 'x-forwarded-for': '127.0.0.2' }, 401],
    [OPEN, LOCAL, { 'x-forwarded-for': '198.51.100.1' }, 401],
    [OPEN, '', {}, 401],
  ])('%j, from %j with %j: %i', async (admission, peer, headers, expected) => {
    const { post } = bench({ admission, peer });
    const [status, said] = await post('/register', '', headers);
    expect([status, said]).toEqual([expected, expected === 201 ? TOLD : { error: 'forbidden' }]);
  });

  test.each([
    [new LanyardError('admin-request-invalid'), 400, 'invalid_allowfrom_cidr'],
    [new LanyardError('acme-dns-full'), 503, 'too_many_accounts'],
    [new LanyardError('store-failed'), 500, 'db_error'],
    [new Error('secret'), 500, 'db_error'],
  ])('that fails says why in the words of acme-dns: %s', async (failure, status, error) => {
    expect(await bench({ failure }).post('/register', '')).toEqual([status, { error }]);
  });
});

describe('POST /update', () => {
  test('publishes the text', async () => {
    const { update, calls } = bench();
    expect(await update({})).toEqual([200, { txt: TXT }]);
    expect(calls).toEqual([TXT]);
  });

  test.each([
    ['another subdomain', { subdomain: 'other' }, RIGHT],
    ['no subdomain', { subdomain: undefined }, RIGHT],
    ['no text', { txt: undefined }, RIGHT],
    ['another key', {}, { ...RIGHT, 'x-api-key': 'wrong' }],
    ['another user', {}, { ...RIGHT, 'x-api-user': 'other' }],
    ['nobody', {}, {}],
    ['an address that it may not be used from', {}, { ...RIGHT, 'x-forwarded-for': '198.51.100.1' }],
  ])('is forbidden to %s', async (_what, wish, headers) => {
    const { update, calls } = bench();
    expect(await update(wish, headers)).toEqual([401, { error: 'forbidden' }]);
    expect(calls).toEqual([]);
  });

  test.each(['', TXT.slice(1), `${TXT}x`, `${TXT.slice(1)} `, `${TXT.slice(1)}=`, `${TXT}\n`])(
    'publishes no %j',
    async (txt) => {
      const { update, calls } = bench();
      expect(await update({ txt })).toEqual([400, { error: 'bad_txt' }]);
      expect(calls).toEqual([]);
    },
  );

  test('is answered when it is served, and an error is no success', async () => {
    const { update } = bench({ failure: new LanyardError('dns-serving-failed') });
    expect(await update({})).toEqual([500, { error: 'db_error' }]);
  });

  test('is taken twenty times a minute', async () => {
    const { api, update, calls, clock } = bench();
    for (let count = 0; count < 20; count += 1) expect((await update({}))[0]).toBe(200);
    await clock.advance(30_000);
    const body = JSON.stringify({ subdomain: account.label, txt: TXT });
    const refused = await api.request('/update', { method: 'POST', body, headers: RIGHT });
    expect([refused.status, await refused.json()]).toEqual([429, { error: 'rate_limited' }]);
    expect(refused.headers.get('retry-after')).toBe('30');
    await clock.advance(30_000);
    expect((await update({}))[0]).toBe(200);
    expect(calls).toHaveLength(21);
  });
});
