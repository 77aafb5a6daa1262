import { LanyardError } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import { createAcmeDnsApi } from './acme-dns-api.ts';
import type { AcmeDns } from './acme-dns-api.ts';

const ACCOUNTS = '/v1/acme-dns-accounts';
const facts = { label: 's', name: 's.acme-dns.example.com', allowFrom: ['10.0.0.0/8'], createdAtMs: 0 };

function bench() {
  const calls: unknown[] = [];
  const acmeDns: AcmeDns = {
    async register(allowFrom) {
      calls.push(allowFrom);
      return { password: 'p' };
    },
    list: () => [facts, { ...facts, lastUpdateAtMs: 1 }],
    async remove(label) {
      if (label !== 's') throw new LanyardError('acme-dns-account-unknown');
      calls.push(label);
    },
  };
  return { api: withCodes(acmeDns), calls };
}

function withCodes(acmeDns: AcmeDns | undefined) {
  const api = createAcmeDnsApi(acmeDns);
  api.onError((error, context) => context.text(LanyardError.is(error) ? error.code : String(error), 400));
  return api;
}

const post = (body = ''): RequestInit => ({ method: 'POST', body });

describe('an account', () => {
  test.each([
    ['{}', []],
    ['{"allowFrom":["10.0.0.0/8"]}', ['10.0.0.0/8']],
  ])('is made by %s', async (body, allowFrom) => {
    const { api, calls } = bench();
    const answer = await api.request(ACCOUNTS, post(body));
    expect([answer.status, await answer.json()]).toEqual([201, { password: 'p' }]);
    expect(calls).toEqual([allowFrom]);
  });

  test.each(['', '[]', '{"allowFrom":"10.0.0.0/8"}', '{"allowfrom":[]}'])('is not made by %j', async (body) => {
    const { api, calls } = bench();
    expect(await (await api.request(ACCOUNTS, post(body))).text()).toBe('admin-request-invalid');
    expect(calls).toEqual([]);
  });

  test('is removed by its label', async () => {
    const { api, calls } = bench();
    expect((await api.request(`${ACCOUNTS}/s/remove`, post())).status).toBe(200);
    expect(calls).toEqual(['s']);
    expect(await (await api.request(`${ACCOUNTS}/t/remove`, post())).text()).toBe('acme-dns-account-unknown');
  });
});

test('they are listed, with times in ISO 8601', async () => {
  const { label, name, allowFrom } = facts;
  const view = { label, name, allowFrom, createdAt: '1970-01-01T00:00:00.000Z' };
  expect(await (await bench().api.request(ACCOUNTS)).json()).toEqual({
    accounts: [view, { ...view, lastUpdateAt: '1970-01-01T00:00:00.001Z' }],
  });
});

test.each([
  [ACCOUNTS, post('{}')],
  [ACCOUNTS, {}],
  [`${ACCOUNTS}/s/remove`, post()],
])('where the API is not served, %s says so', async (path, request) => {
  expect(await (await withCodes(undefined).request(path, request)).text()).toBe('acme-dns-off');
});
