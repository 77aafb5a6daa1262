import { describe, expect, test } from 'vitest';
import { LanyardError, silentLogger } from '@lanyard/sdk/kernel';
import type { Observation } from '../certificates/foreign/foreign-watch.ts';
import { createAdminApi } from './admin-api.ts';
import type { Registry } from './registry.ts';

const headers = { authorization: 'Bearer token', 'content-type': 'application/json' };
const certificate = {
  fingerprint: 'f1',
  names: ['a.devices.example.com'],
  serial: '1',
  issuer: 'CN=Some CA',
  keyHash: 'k1',
  notBeforeMs: 0,
  notAfterMs: 1_000,
};
const { notBeforeMs: _begins, notAfterMs: _ends, ...plain } = certificate;
const view = { ...plain, notBefore: '1970-01-01T00:00:00.000Z', notAfter: '1970-01-01T00:00:01.000Z' };

const none = (): Promise<never> => Promise.reject(new Error('not in this test'));

function bench(failure?: LanyardError) {
  const calls: string[] = [];
  const answer = async <T>(call: string, value: T): Promise<T> => {
    calls.push(call);
    if (failure) throw failure;
    return value;
  };
  const observation: Observation = { verdict: 'foreign', certificate };
  const known = [
    { ...certificate, seenAtMs: 2_000, settledAtMs: 3_000 },
    { ...certificate, seenAtMs: 2_000 },
  ];
  const foreign = {
    observe: (pem: string) => answer(`observe ${pem.length}`, observation),
    list: () => answer('list', known),
    settle: (fingerprint: string) => answer(`settle ${fingerprint}`, undefined),
  };
  const refusedKeys = { refuse: none, list: none };
  const probe = { publish: none };
  const registry: Registry = new Proxy<Registry>(Object.create(null), { get: () => none });
  const api = createAdminApi({
    registry,
    foreign,
    refusedKeys,
    probe,
    health: () => [],
    token: 'token',
    log: silentLogger,
  });
  const get = (path: string) => api.request(path, { headers });
  const post = (path: string, body?: unknown) =>
    api.request(path, { method: 'POST', headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { calls, get, post };
}

test('what was observed is judged', async () => {
  const { post } = bench();
  const response = await post('/v1/observed-certificates', { pem: 'x' });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ verdict: 'foreign', certificate: view });
});

test('a chain of 64 KiB is taken, whatever its line ends cost', async () => {
  const { post, calls } = bench();
  const pem = `${'A'.repeat(64)}\r\n`.repeat(993).slice(0, 65_536);
  expect((await post('/v1/observed-certificates', { pem })).status).toBe(200);
  expect(calls).toEqual([`observe ${pem.length}`]);
});

describe('refused', () => {
  test.each<[what: string, body: unknown, status: number]>([
    ['nothing', {}, 400],
    ['another type', { pem: 7 }, 400],
    ['a field too many', { pem: 'x', verdict: 'own' }, 400],
    ['a chain that is too long', { pem: 'x'.repeat(65_537) }, 400],
    ['a body that is too large', { pem: 'x'.repeat(100_000) }, 413],
  ])('is %s', async (_, body, status) => {
    const { post, calls } = bench();
    expect((await post('/v1/observed-certificates', body)).status).toBe(status);
    expect(calls).toEqual([]);
  });

  test('is what is no certificate, with the reason', async () => {
    const { post } = bench(new LanyardError('certificate-unreadable', { message: 'because' }));
    const response = await post('/v1/observed-certificates', { pem: 'x' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 'certificate-unreadable', message: 'because' });
  });
});

test('the foreign ones are listed with the times of both events', async () => {
  const seen = { ...view, seenAt: '1970-01-01T00:00:02.000Z' };
  const settled = { ...seen, settledAt: '1970-01-01T00:00:03.000Z' };
  expect(await (await bench().get('/v1/foreign-certificates')).json()).toEqual({ certificates: [settled, seen] });
});

test('one is settled, if it is known', async () => {
  const { post, calls } = bench();
  expect((await post('/v1/foreign-certificates/AB%3ACD/settle')).status).toBe(200);
  expect(calls).toEqual(['settle AB:CD']);
  const unknown = bench(new LanyardError('foreign-certificate-unknown'));
  expect((await unknown.post('/v1/foreign-certificates/f9/settle')).status).toBe(404);
});
