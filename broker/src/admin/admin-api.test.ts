import { describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import type { ErrorCode, LogFields, Logger } from '@lanyard/sdk/kernel';
import { createAdminApi } from './admin-api.ts';
import type { HealthFinding } from './admin-api.ts';
import type { ApplianceView, Registry } from './registry.ts';

const TOKEN = 'correct-horse';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const view: ApplianceView = {
  deviceId: 'appliance-1',
  name: 'a.devices.example.com',
  status: 'active',
  isConnected: false,
  published: [],
  enrolledAt: '2026-11-22T00:00:00.000Z',
};
const enrolled = { deviceId: view.deviceId, name: view.name, identityCertificate: 'certificate', brokerRoot: 'root' };

const never = (): Promise<never> => Promise.reject(new Error('not in this test'));

interface Call {
  readonly method: keyof Registry;
  readonly given: unknown;
}

function bench({ failure, findings = [] }: { failure?: unknown; findings?: readonly HealthFinding[] } = {}) {
  const calls: Call[] = [];
  const logged: LogFields[] = [];
  const answer = async <T>(method: keyof Registry, given: unknown, value: T): Promise<T> => {
    calls.push({ method, given });
    if (failure !== undefined) throw failure;
    return value;
  };
  const registry: Registry = {
    enrol: (given) => answer('enrol', given, enrolled),
    list: (given) => answer('list', given, { total: 1, appliances: [view] }),
    show: (given) => answer('show', given, view),
    renew: (given) => answer('renew', given, view),
    revoke: (deviceId, request) => answer('revoke', { deviceId, ...request }, view),
    replaceAll: (given) => answer('replaceAll', given, { certificates: 3 }),
  };
  const log: Logger = { ...silentLogger, error: (fields) => logged.push(fields) };
  const foreign = { observe: never, list: never, settle: never };
  const refusedKeys = { refuse: never, list: never };
  const probe = { publish: async () => ({ name: 'probe.devices.example.com', value: 'v' }) };
  const api = createAdminApi({ registry, foreign, refusedKeys, probe, health: () => findings, token: TOKEN, log });
  const get = (path: string, headers: Record<string, string> = AUTHORIZED) => api.request(path, { headers });
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    api.request(path, {
      method: 'POST',
      body,
      headers: { ...AUTHORIZED, 'content-type': 'application/json', ...headers },
    });
  return { api, calls, logged, get, post };
}

async function codeOf(response: Response): Promise<readonly [number, unknown]> {
  const body: unknown = await response.json();
  return [response.status, typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined];
}

describe('the token', () => {
  const WRONG = {
    none: {},
    'an empty one': { authorization: '' },
    'an empty bearer': { authorization: 'Bearer ' },
    another: { authorization: 'Bearer wrong' },
    'its beginning': { authorization: 'Bearer correct' },
    'it and more': { authorization: `Bearer ${TOKEN}x` },
    'it without its scheme': { authorization: TOKEN },
    'it as basic': { authorization: `Basic ${TOKEN}` },
    'it in lower case scheme': { authorization: `bearer ${TOKEN}` },
  } as const;
  const CALLS = [
    ['GET', '/v1/appliances'],
    ['POST', '/v1/appliances'],
    ['GET', '/v1/appliances/appliance-1'],
    ['POST', '/v1/appliances/appliance-1/renew'],
    ['POST', '/v1/observed-certificates'],
    ['GET', '/v1/refused-keys'],
    ['POST', '/v1/refused-keys'],
    ['GET', '/v1/foreign-certificates'],
    ['POST', '/v1/foreign-certificates/f/settle'],
    ['GET', '/v1/unknown'],
  ] as const;

  test.each(Object.entries(WRONG))('%s opens nothing', async (_what, headers) => {
    const { api, calls } = bench();
    for (const [method, path] of CALLS) {
      const response = await api.request(path, { method, headers });
      expect(await codeOf(response)).toEqual([401, 'admin-unauthorized']);
    }
    expect(calls).toEqual([]);
  });

  test('is not needed for the health check, which says nothing of appliances', async () => {
    const { get } = bench({ findings: [{ part: 'mqtt', isHealthy: true, detail: '3 appliances connected' }] });
    const response = await get('/healthz', {});
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'ok', findings: [{ part: 'mqtt' }] });
  });
});

test('one part that fails makes the broker fail its health check', async () => {
  const findings = [
    { part: 'mqtt', isHealthy: true, detail: '' },
    { part: 'acme', isHealthy: false, detail: 'no account at the CA yet' },
  ];
  const response = await bench({ findings }).get('/healthz');
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: 'failing', findings });
});

describe('enrolment', () => {
  test('hands over what was asked for, and answers with the identity', async () => {
    const { post, calls } = bench();
    const body = { deviceId: 'appliance-1', csr: 'pem' };
    const response = await post('/v1/appliances', JSON.stringify(body));
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual(enrolled);
    expect(calls).toEqual([{ method: 'enrol', given: body }]);
  });

  const BAD = {
    'no JSON': 'hello',
    nothing: '',
    'a list': '[]',
    null: 'null',
    'no id': '{}',
    'an id that is none': '{"deviceId":"A/B"}',
    'an id of another type': '{"deviceId":12345678}',
    'a field too many': '{"deviceId":"appliance-1","isAdmin":true}',
    'a key that is too long': JSON.stringify({ deviceId: 'appliance-1', csr: 'x'.repeat(8193) }),
    'a prototype': '{"deviceId":"appliance-1","__proto__":{"csr":"x"}, "constructor":1}',
  } as const;

  test.each(Object.entries(BAD))('with %s for a body is refused', async (_what, body) => {
    const { post, calls } = bench();
    expect(await codeOf(await post('/v1/appliances', body))).toEqual([400, 'admin-request-invalid']);
    expect(calls).toEqual([]);
  });

  test('names the wrong field', async () => {
    const response = await bench().post('/v1/appliances', '{"deviceId":"short","csr":5}');
    const body = await response.text();
    expect(body).toContain('deviceId: must be 8 to 64 of a-z, 0-9 and hyphen');
    expect(body).toContain('csr:');
  });

  test('with a body that is too large is refused unread, however it is sent', async () => {
    const { api, calls, post } = bench();
    const large = JSON.stringify({ deviceId: 'appliance-1', csr: 'x'.repeat(20_000) });
    expect(await codeOf(await post('/v1/appliances', large, { 'content-length': String(large.length) }))).toEqual([
      413,
      'too-large',
    ]);
    const chunks = new Blob([large]).stream();
    const chunked = new Request('http://localhost/v1/appliances', {
      method: 'POST',
      body: chunks,
      duplex: 'half',
      headers: AUTHORIZED,
    });
    expect(await codeOf(await api.request(chunked))).toEqual([413, 'too-large']);
    expect(calls).toEqual([]);
  });
});

describe('pages', () => {
  test('are of a hundred when nobody says otherwise', async () => {
    const { get, calls } = bench();
    await get('/v1/appliances');
    await get('/v1/appliances?limit=1000&after=appliance-1&unknown=x');
    expect(calls.map(({ given }) => given)).toEqual([{ limit: 100 }, { limit: 1000, after: 'appliance-1' }]);
  });

  test.each([
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1.5',
    'limit=x',
    'limit=',
    'limit=1e9',
    `after=${'a'.repeat(65)}`,
  ])('with %s are refused', async (query) => {
    const { get, calls } = bench();
    expect(await codeOf(await get(`/v1/appliances?${query}`))).toEqual([400, 'admin-request-invalid']);
    expect(calls).toEqual([]);
  });
});

test('one appliance is shown, and renewed', async () => {
  const { get, post, calls } = bench();
  expect(await (await get('/v1/appliances/appliance-1')).json()).toEqual(view);
  expect((await post('/v1/appliances/appliance-1/renew', '')).status).toBe(200);
  expect(calls.map(({ method }) => method)).toEqual(['show', 'renew']);
});

describe('before their time', () => {
  test('one is revoked, for a reason', async () => {
    const { post, calls } = bench();
    await post('/v1/appliances/appliance-1/revoke', '{"reason":"superseded"}');
    await post('/v1/appliances/appliance-1/revoke', '{}');
    await post('/v1/appliances/appliance-1/revoke', '{"reason":"key-compromise","signedBy":"appliance"}');
    expect(calls.map(({ given }) => given)).toEqual([
      { deviceId: 'appliance-1', signedBy: 'account', reason: 'superseded' },
      { deviceId: 'appliance-1', signedBy: 'account', reason: 'unspecified' },
      { deviceId: 'appliance-1', signedBy: 'appliance', reason: 'key-compromise' },
    ]);
  });

  test('all are replaced, within a time', async () => {
    const { post, calls } = bench();
    const response = await post('/v1/replacements', '{"withinSeconds":86400}');
    expect(await response.json()).toEqual({ certificates: 3 });
    expect(calls).toEqual([{ method: 'replaceAll', given: { withinSeconds: 86_400, isDryRun: false } }]);
  });

  test.each([
    ['/v1/appliances/appliance-1/revoke', '{"reason":"cACompromise"}'],
    ['/v1/appliances/appliance-1/revoke', ''],
    ['/v1/appliances/appliance-1/revoke', '{"reason":"superseded","signedBy":"appliance"}'],
    ['/v1/appliances/appliance-1/revoke', '{"reason":"key-compromise","signedBy":"somebody"}'],
    ['/v1/replacements', '{}'],
    ['/v1/replacements', '{"withinSeconds":59}'],
    ['/v1/replacements', '{"withinSeconds":7776001}'],
    ['/v1/replacements', '{"withinSeconds":3600,"isDryRun":"no"}'],
  ])('%s with %s is refused', async (path, body) => {
    const { post, calls } = bench();
    expect(await codeOf(await post(path, body))).toEqual([400, 'admin-request-invalid']);
    expect(calls).toEqual([]);
  });
});

test.each(['/', '/v2/appliances', '/v1/appliances/a/b', '/v1', '/healthz/x'])(
  'there is nothing at %s',
  async (path) => {
    expect(await codeOf(await bench().get(path))).toEqual([404, 'not-found']);
  },
);

const STATUS: Partial<Record<ErrorCode, number>> = {
  'appliance-unknown': 404,
  'appliance-exists': 409,
  'appliance-id-invalid': 400,
  'admin-request-invalid': 400,
  'csr-invalid': 400,
  'csr-weak-key': 400,
  'store-failed': 503,
  'dns-serving-failed': 503,
};

test.each(Object.entries(STATUS))('%s is answered with %i and its reason', async (code, status) => {
  const known = Object.keys(STATUS).find((each): each is ErrorCode => each === code) ?? 'internal';
  const response = await bench({ failure: new LanyardError(known, { message: 'because' }) }).get(
    '/v1/appliances/appliance-1',
  );
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ code, message: 'because' });
});

test.each([new TypeError('hunter2'), new LanyardError('internal', { message: 'hunter2' }), 'hunter2'])(
  'what fails inside is logged and not told: %s',
  async (failure) => {
    const { get, logged } = bench({ failure: failure instanceof Error ? failure : new Error(failure) });
    const response = await get('/v1/appliances/appliance-1');
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ code: 'internal', message: 'internal error' });
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).toContain('hunter2');
  },
);

test('the doctor’s record is published for whoever has the token', async () => {
  const { api, post } = bench();
  const published = await post('/v1/probe', '');
  expect([published.status, await published.json()]).toEqual([201, { name: 'probe.devices.example.com', value: 'v' }]);
  expect((await api.request('/v1/probe', { method: 'POST' })).status).toBe(401);
});
