import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient, Reply } from './test-client.ts';
import { BASE_URL, problem, TestWorld } from './test-world.ts';

let world: TestWorld;
let client: TestClient;

function use(created: TestWorld): void {
  world = created;
  client = created.client;
}

beforeEach(() => use(new TestWorld()));

describe('the doors', () => {
  test('the directory names every endpoint, the profiles and one entry that means nothing', async () => {
    const { json, headers } = await client.get('/directory');
    expect(Object.keys(json.meta.profiles)).toEqual(['classic', 'tlsserver', 'shortlived']);
    expect(json.meta.caaIdentities).toEqual(['model.lanyard.test']);
    const known = ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange', 'renewalInfo', 'meta'];
    expect(Object.keys(json).slice(0, 7)).toEqual(known);
    expect(Object.keys(json)).toHaveLength(8);
    expect(headers['Cache-Control']).toBe('no-store');
    expect(headers['Link']).toBeUndefined();
  });

  test('newNonce answers 200 to HEAD and 204 to GET, with a nonce and the way to the directory', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
    ] as const) {
      const reply = await client.get('/acme/new-nonce', method);
      expect(reply.status).toBe(status);
      expect(reply.headers['Replay-Nonce']).toMatch(/^[\w-]{22}$/);
      expect(reply.headers['Link']).toEqual([`<${BASE_URL}/directory>;rel="index"`]);
    }
  });

  test('what needs a signature cannot be fetched by GET', async () => {
    expect(await client.get('/acme/order/1/2')).toEqual(problem(405, 'malformed'));
    expect(await client.get('/acme/nowhere')).toEqual(problem(404, 'malformed'));
    expect(await client.get('/directory', 'POST')).toEqual(problem(405, 'malformed'));
  });

  test('a request without User-Agent is refused', async () => {
    const { status } = await world.core.handle({
      method: 'GET',
      path: '/directory',
      contentType: undefined,
      userAgent: undefined,
      body: new Uint8Array(),
    });
    expect(status).toBe(400);
  });

  test('a body of more than 64 KiB is refused', async () => {
    expect(await client.raw('/acme/new-acct', { protected: 'A'.repeat(65_536) })).toEqual(problem(413, 'malformed'));
  });
});

describe('signatures', () => {
  test('a signature by another key is refused', async () => {
    await client.register();
    const { privateKey: signWith } = world.newClient();
    expect(await client.post('/acme/new-order', {}, { signWith })).toEqual(problem(400, 'malformed', /verification/));
  });

  test('a nonce serves once, and none is not enough', async () => {
    await client.register();
    const nonce = await client.nonce();
    expect((await client.post(client.pathOf(client.kid), undefined, { nonce })).status).toBe(200);
    expect(await client.post(client.pathOf(client.kid), undefined, { nonce })).toEqual(problem(400, 'badNonce'));
    expect(await client.post(client.pathOf(client.kid), undefined, { hasNonce: false })).toEqual(
      problem(400, 'badNonce'),
    );
    expect(world.core.statistics().badNonces).toBe(2);
  });

  test('a request signed for another URL is refused', async () => {
    await client.register();
    const url = `${BASE_URL}/acme/key-change`;
    expect(await client.post('/acme/new-order', {}, { url })).toEqual(problem(403, 'unauthorized', /url/));
  });

  test('the wrong content type, algorithm or key header is refused', async () => {
    await client.register();
    expect(await client.post('/acme/new-order', {}, { contentType: 'application/json' })).toEqual(
      problem(415, 'malformed'),
    );
    const wrong = await client.post('/acme/new-order', {}, { alg: 'HS256' });
    expect(wrong).toEqual(problem(400, 'badSignatureAlgorithm'));
    expect(wrong.json.algorithms).toEqual(['ES256', 'ES384', 'RS256']);
    expect(await client.post('/acme/new-order', {}, { withJwk: true })).toEqual(problem(400, 'malformed', /Key ID/));
    expect(await client.post('/acme/new-acct', {})).toEqual(problem(400, 'malformed', /JWK/));
    expect(await client.post('/acme/new-order', {}, { header: { jwk: client.jwk } })).toEqual(
      problem(400, 'malformed'),
    );
    expect(await client.post('/acme/new-order', {}, { header: { crit: ['b64'] } })).toEqual(problem(400, 'malformed'));
  });

  test('an account that is not there is said to be so', async () => {
    const reply = await client.post('/acme/new-order', {}, { withJwk: false, kid: `${BASE_URL}/acme/acct/99` });
    expect(reply).toEqual(problem(400, 'accountDoesNotExist'));
    const alien = await client.post('/acme/new-order', {}, { withJwk: false, kid: 'https://other.test/1' });
    expect(alien).toEqual(problem(400, 'malformed'));
  });

  test('nothing that is not a flattened JWS gets an answer but a problem', async () => {
    for (const body of [null, 7, [], {}, { protected: '!', payload: '', signature: '' }, { signatures: [] }]) {
      expect(await client.raw('/acme/new-acct', body)).toEqual(problem(400, 'malformed'));
    }
  });
});

describe('accounts', () => {
  test('an account is made once, and found again by its key', async () => {
    const first = await client.register({ termsOfServiceAgreed: true, contact: ['mailto:ops@example.test'] });
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ status: 'valid', contact: ['mailto:ops@example.test'] });
    const again = await client.post('/acme/new-acct', { onlyReturnExisting: true }, { withJwk: true });
    expect([again.status, again.headers['Location']]).toEqual([200, first.headers['Location']]);
    expect(world.core.statistics().accounts).toBe(1);
  });

  test('a P-384 key may own an account', async () => {
    expect((await world.newClient(384).register()).status).toBe(201);
  });

  test('without agreement or for a lookup nothing is made', async () => {
    expect(await client.post('/acme/new-acct', {})).toEqual(problem(400, 'malformed', /terms/));
    expect(await client.post('/acme/new-acct', { onlyReturnExisting: true })).toEqual(
      problem(400, 'accountDoesNotExist'),
    );
  });

  test('contacts are checked and can be changed', async () => {
    await client.register();
    const path = client.pathOf(client.kid);
    expect(await client.post(path, { contact: ['tel:+49'] })).toEqual(problem(400, 'unsupportedContact'));
    expect(await client.post(path, { contact: ['mailto:nobody'] })).toEqual(problem(400, 'invalidContact'));
    expect((await client.post(path, { contact: ['mailto:a@b.test'] })).json.contact).toEqual(['mailto:a@b.test']);
  });

  test('a deactivated account can do nothing any more, and cannot come back', async () => {
    await client.register();
    expect((await client.post(client.pathOf(client.kid), { status: 'deactivated' })).json.status).toBe('deactivated');
    expect(await world.newOrder()).toEqual(problem(403, 'unauthorized', /deactivated/));
    const again = await client.post('/acme/new-acct', { termsOfServiceAgreed: true }, { withJwk: true });
    expect(again).toEqual(problem(403, 'unauthorized', /deactivated/));
  });

  test("another account's URL is refused", async () => {
    await client.register();
    const other = world.newClient();
    await other.register();
    expect(await other.post(client.pathOf(client.kid))).toEqual(problem(403, 'unauthorized'));
  });

  test('the account key can be changed, after which only the new key signs', async () => {
    await client.register();
    const oldKey = client.privateKey;
    const next = world.newClient();
    const url = `${BASE_URL}/acme/key-change`;
    const payload = { account: client.kid, oldKey: client.jwk };
    const inner = next.sign({ alg: 'ES256', url, jwk: next.jwk }, payload);
    expect((await client.post('/acme/key-change', inner)).status).toBe(200);
    expect(await world.newOrder()).toEqual(problem(400, 'malformed', /verification/));
    client.privateKey = next.privateKey;
    expect((await world.newOrder()).status).toBe(201);
    expect(oldKey).not.toBe(client.privateKey);
  });

  test('a key change that does not prove both keys is refused', async () => {
    await client.register();
    const next = world.newClient();
    const taken = world.newClient();
    await taken.register();
    const url = `${BASE_URL}/acme/key-change`;
    const payload = { account: client.kid, oldKey: client.jwk };
    const header = { alg: 'ES256', url, jwk: next.jwk };
    const change = (inner: object): Promise<Reply> => client.post('/acme/key-change', inner);
    expect(await change(next.sign(header, payload, taken.privateKey))).toEqual(
      problem(400, 'malformed', /verification/),
    );
    expect(await change(next.sign({ ...header, url: BASE_URL }, payload))).toEqual(problem(400, 'malformed', /url/));
    expect(await change(next.sign({ ...header, nonce: 'x' }, payload))).toEqual(problem(400, 'malformed', /nonce/));
    expect(await change(next.sign(header, { ...payload, account: taken.kid }))).toEqual(
      problem(400, 'malformed', /account/),
    );
    expect(await change(next.sign(header, { ...payload, oldKey: next.jwk }))).toEqual(
      problem(400, 'malformed', /oldKey/),
    );
    const used = await change(taken.sign({ ...header, jwk: taken.jwk }, payload));
    expect(used).toEqual(problem(409, 'malformed'));
    expect(used.headers['Location']).toBe(taken.kid);
  });
});
