import { createPrivateKey } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHierarchy } from './issuer.ts';
import type { TestClient } from './test-client.ts';
import { csrFor, derOf, NAME, problem, TestWorld } from './test-world.ts';

let world: TestWorld;
let client: TestClient;

function use(created: TestWorld): void {
  world = created;
  client = created.client;
}

beforeEach(() => use(new TestWorld()));

describe('revocation', () => {
  beforeEach(async () => {
    await client.register();
  });

  test('the account that ordered a certificate revokes it, once', async () => {
    const certificate = derOf((await world.issue()).pem);
    expect(await client.post('/acme/revoke-cert', { certificate, reason: 6 })).toEqual(
      problem(400, 'badRevocationReason'),
    );
    expect((await client.post('/acme/revoke-cert', { certificate, reason: 4 })).status).toBe(200);
    expect(await client.post('/acme/revoke-cert', { certificate })).toEqual(problem(400, 'alreadyRevoked'));
    expect(world.core.statistics().revocations).toBe(1);
  });

  test('a key revoked by the account may be used again, as at Let’s Encrypt', async () => {
    const { pem, key } = await world.issue();
    await client.post('/acme/revoke-cert', { certificate: derOf(pem), reason: 1 });
    const order = await world.newOrder();
    const { csr } = await csrFor([NAME], key);
    expect((await client.post(client.pathOf(order.json.finalize), { csr })).status).toBe(200);
  });

  test("the certificate's own key revokes it and is refused for ever", async () => {
    const { pem, key } = await world.issue();
    const certificate = derOf(pem);
    const holder = world.newClient();
    holder.privateKey = createPrivateKey(key);
    expect((await holder.post('/acme/revoke-cert', { certificate })).status).toBe(200);
    expect(await holder.post('/acme/revoke-cert', { certificate })).toEqual(problem(400, 'alreadyRevoked'));
    const order = await world.newOrder();
    const { csr } = await csrFor([NAME], key);
    expect(await client.post(client.pathOf(order.json.finalize), { csr })).toEqual(problem(400, 'badCSR', /forbidden/));
    expect(await holder.register()).toEqual(problem(400, 'badPublicKey'));
  });

  test('another key or another account revokes nothing, unless it has proved all names', async () => {
    const certificate = derOf((await world.issue()).pem);
    const other = world.newClient();
    expect(await other.post('/acme/revoke-cert', { certificate })).toEqual(problem(403, 'unauthorized'));
    await other.register();
    expect(await other.post('/acme/revoke-cert', { certificate })).toEqual(problem(403, 'unauthorized'));
    await world.prove(await world.newOrder([NAME], {}, other), other);
    expect((await other.post('/acme/revoke-cert', { certificate })).status).toBe(200);
  });

  test('a certificate of somebody else is not known', async () => {
    const [, foreign] = [await world.issue(), createHierarchy(world).rootPem];
    expect(await client.post('/acme/revoke-cert', { certificate: derOf(foreign) })).toEqual(problem(404, 'malformed'));
    expect(await client.post('/acme/revoke-cert', { certificate: 'AAAA' })).toEqual(problem(400, 'malformed'));
  });
});
