import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOULDER_POLICY, changeProfiles } from './policy.ts';
import type { TestClient } from './test-client.ts';
import { csrFor, ERROR, NAME, problem, TestWorld } from './test-world.ts';

const HOUR_MS = 3_600_000;

let world: TestWorld;
let client: TestClient;

function use(created: TestWorld): void {
  world = created;
  client = created.client;
}

beforeEach(() => use(new TestWorld()));

describe('orders', () => {
  beforeEach(async () => {
    await client.register();
  });

  test('an order is answered with 201, its own URL and what has to be proved', async () => {
    const order = await world.newOrder([NAME.toUpperCase(), `*.${NAME}`]);
    expect(order.status).toBe(201);
    expect(order.json).toMatchObject({ status: 'pending', profile: 'classic' });
    expect(order.json.identifiers.map((one: { value: string }) => one.value)).toEqual([`*.${NAME}`, NAME]);
    const [wild, plain] = await Promise.all(
      order.json.authorizations.map((url: string) => client.post(client.pathOf(url))),
    );
    expect(wild.json).toMatchObject({ wildcard: true, identifier: { type: 'dns', value: NAME } });
    expect(wild.json.challenges.map((one: { type: string }) => one.type)).toEqual(['dns-01']);
    expect(plain.json.challenges.map((one: { type: string }) => one.type).toSorted()).toEqual(
      BOULDER_POLICY.challengeTypes.toSorted(),
    );
    expect((await world.reread(order)).json).toEqual(order.json);
  });

  test('the same order asked for again is the same order, while it is open', async () => {
    const order = await world.newOrder();
    expect((await world.newOrder()).headers['Location']).toBe(order.headers['Location']);
    await world.prove(order);
    const ready = await world.newOrder();
    expect([ready.status, ready.json.status]).toEqual([201, 'ready']);
    expect(ready.headers['Location']).toBe(order.headers['Location']);
    expect((await world.newOrder([NAME], { profile: 'tlsserver' })).headers['Location']).not.toBe(
      order.headers['Location'],
    );
    expect(world.core.statistics()).toMatchObject({ orders: 2, reusedOrders: 2 });
  });

  test('what cannot be issued is refused at once', async () => {
    expect(await world.newOrder([NAME], { profile: 'tlsclient' })).toEqual(problem(400, 'invalidProfile'));
    expect(await world.newOrder([NAME], { profile: 'toString' })).toEqual(problem(400, 'invalidProfile'));
    expect(await world.newOrder([NAME], { notAfter: '2030-01-01T00:00:00Z' })).toEqual(problem(400, 'malformed'));
    expect(await world.newOrder(['localhost'])).toEqual(problem(400, 'rejectedIdentifier'));
    expect((await world.newOrder(['a b.test', 'localhost'])).json.subproblems).toHaveLength(2);
    expect(world.core.statistics().orders).toBe(0);
  });

  test('an order cannot be finalized before its names are proved', async () => {
    const order = await world.newOrder();
    const { csr } = await csrFor();
    expect(await client.post(client.pathOf(order.json.finalize), { csr })).toEqual(
      problem(403, 'orderNotReady', /pending/),
    );
  });

  test('a wrong record fails the challenge, the authorization and the order for good', async () => {
    const order = await world.newOrder();
    world.txt.set(`_acme-challenge.${NAME}`, ['not this one']);
    const path = client.pathOf(order.json.authorizations[0]);
    const { challenges } = (await client.post(path)).json;
    const challenge = challenges.find((one: { type: string }) => one.type === 'dns-01');
    const triggered = await client.post(client.pathOf(challenge.url), {});
    expect([triggered.status, triggered.json.status]).toEqual([200, 'pending']);
    expect(triggered.headers['Link']).toContain(`<${order.json.authorizations[0]}>;rel="up"`);
    await world.clock.advance(1000);
    const failed = await client.post(path);
    expect(failed.json.status).toBe('invalid');
    expect(failed.json.challenges).toHaveLength(1);
    expect(failed.json.challenges[0].error).toMatchObject({ type: `${ERROR}unauthorized` });
    expect((await world.reread(order)).json.status).toBe('invalid');
    expect(await client.post(client.pathOf(challenge.url), {})).toEqual(problem(400, 'malformed'));
    expect((await world.newOrder()).headers['Location']).not.toBe(order.headers['Location']);
  });

  test('a challenge that is not dns-01 cannot be met', async () => {
    const order = await world.newOrder();
    const path = client.pathOf(order.json.authorizations[0]);
    const { challenges } = (await client.post(path)).json;
    const challenge = challenges.find((one: { type: string }) => one.type === 'http-01');
    await client.post(client.pathOf(challenge.url), {});
    await world.clock.advance(1000);
    expect((await client.post(path)).json.challenges[0].error.type).toBe(`${ERROR}connection`);
  });

  test('a challenge asked about twice is looked at once', async () => {
    const order = await world.newOrder();
    const [first] = await world.publishAndTrigger(order);
    await client.post(client.pathOf(first?.json.url), {});
    await world.clock.advance(1000);
    expect(world.core.statistics().validations).toBe(1);
    expect((await client.post(client.pathOf(first?.json.url), {})).json.status).toBe('valid');
  });

  test('finalize is answered with processing, and the certificate comes later', async () => {
    const order = await world.newOrder([NAME, `*.${NAME}`]);
    await world.prove(order);
    const { csr, key } = await csrFor([NAME, `*.${NAME}`]);
    const begun = await client.post(client.pathOf(order.json.finalize), { csr });
    expect([begun.status, begun.json.status, begun.headers['Retry-After']]).toEqual([200, 'processing', '1']);
    expect(await client.post(client.pathOf(order.json.finalize), { csr })).toEqual(
      problem(403, 'orderNotReady', /processing/),
    );
    await world.clock.advance(1000);
    const done = await world.reread(order);
    expect(done.json.status).toBe('valid');
    const chain = await client.post(client.pathOf(done.json.certificate));
    expect(chain.headers['Content-Type']).toBe('application/pem-certificate-chain');
    const leaf = new X509Certificate(chain.text);
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(leaf.subjectAltName).toBe(`DNS:*.${NAME}, DNS:${NAME}`);
    expect(world.core.statistics()).toMatchObject({ orders: 1, certificates: 1, validations: 2, failedValidations: 0 });
  });

  test('a policy without processing answers finalize with the finished order', async () => {
    use(new TestWorld({ asyncFinalizeMs: 0 }));
    await client.register();
    const order = await world.newOrder();
    await world.prove(order);
    const { csr } = await csrFor();
    expect((await client.post(client.pathOf(order.json.finalize), { csr })).json.status).toBe('valid');
  });

  test('a CSR for other names, with the account key or broken is refused and the order stays ready', async () => {
    const order = await world.newOrder();
    await world.prove(order);
    const path = client.pathOf(order.json.finalize);
    const accountKey = Buffer.from(client.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    expect(await client.post(path, { csr: (await csrFor([NAME, 'other.test'])).csr })).toEqual(
      problem(400, 'badCSR', /identifiers/),
    );
    expect(await client.post(path, { csr: (await csrFor([NAME], accountKey)).csr })).toEqual(
      problem(400, 'badCSR', /account key/),
    );
    expect(await client.post(path, { csr: 'AAAA' })).toEqual(problem(400, 'badCSR'));
    expect(await client.post(path, {})).toEqual(problem(400, 'malformed'));
    expect((await world.reread(order)).json.status).toBe('ready');
  });

  test('CAA that changed its mind since the proof fails the order at finalize', async () => {
    const order = await world.newOrder();
    await world.prove(order);
    world.caa = [{ isCritical: false, tag: 'issue', value: ';' }];
    await world.clock.advance(8 * HOUR_MS);
    const { csr } = await csrFor();
    await client.post(client.pathOf(order.json.finalize), { csr });
    await world.clock.advance(1000);
    const failed = await world.reread(order);
    expect(failed.json).toMatchObject({ status: 'invalid', error: { type: `${ERROR}caa` } });
    expect(world.core.statistics().failedIssuances).toBe(1);
  });

  test('a proof serves the next order of the same profile, until it is too old', async () => {
    await world.issue([NAME], { profile: 'tlsserver' });
    expect((await world.newOrder([NAME], { profile: 'tlsserver' })).json.status).toBe('ready');
    expect((await world.newOrder([NAME], { profile: 'classic' })).json.status).toBe('pending');
    await world.clock.advance(7 * HOUR_MS);
    expect((await world.newOrder([NAME], { profile: 'tlsserver' })).json.status).toBe('pending');
  });

  test('without reuse every order proves anew', async () => {
    use(new TestWorld({ profiles: changeProfiles(BOULDER_POLICY.profiles, { authorizationReuseMs: 0 }) }));
    await client.register();
    await world.issue();
    expect((await world.newOrder()).json.status).toBe('pending');
  });

  test('an order that ended is gone, and so is what belongs to another account', async () => {
    const order = await world.newOrder([NAME], { profile: 'tlsserver' });
    const other = world.newClient();
    await other.register();
    expect(await other.post(client.pathOf(order.headers['Location']))).toEqual(problem(404, 'malformed'));
    expect(await other.post(client.pathOf(order.json.authorizations[0]))).toEqual(problem(403, 'unauthorized'));
    await world.clock.advance(8 * HOUR_MS);
    expect(await world.reread(order)).toEqual(problem(404, 'malformed'));
    expect(await client.post(client.pathOf(order.json.authorizations[0]))).toEqual(problem(404, 'malformed'));
  });

  test('a deactivated authorization takes its order with it', async () => {
    const order = await world.newOrder();
    const reply = await client.post(client.pathOf(order.json.authorizations[0]), { status: 'deactivated' });
    expect(reply.json.status).toBe('deactivated');
    expect((await world.reread(order)).json.status).toBe('invalid');
  });

  test('stop abandons what is under way, and nothing new begins', async () => {
    const order = await world.newOrder();
    await world.publishAndTrigger(order);
    await world.core.stop();
    expect(world.clock.nextTimerMs()).toBeUndefined();
    expect((await world.publishAndTrigger(await world.newOrder(['other.test'])))[0]?.status).toBe(503);
  });
});
