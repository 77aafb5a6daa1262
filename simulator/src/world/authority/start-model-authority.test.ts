import { createHash, X509Certificate } from 'node:crypto';
import { Agent, get, request } from 'node:https';
import acme from 'acme-client';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NameServerDouble } from './name-server-double.ts';
import { startModelAuthority, type RunningModelAuthority } from './start-model-authority.ts';

const NAME = 'xi8qz.devices.test';

let server: NameServerDouble;
let authority: RunningModelAuthority;
let agent: Agent;

beforeEach(async () => {
  server = new NameServerDouble();
  server.records.push({ type: 'A', name: NAME, ttl: 30, data: '10.1.1.4' });
  authority = await startModelAuthority({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    resolver: { host: '127.0.0.1', port: await server.start() },
    policy: { nonceRejectPercent: 10, asyncFinalizeMs: 50, validationDelayMs: 20 },
  });
  agent = new Agent({ ca: authority.tlsRootPem, keepAlive: true });
  acme.axios.defaults.httpsAgent = agent;
});

afterEach(async () => {
  agent.destroy();
  await authority.stop();
  await server.stop();
});

async function foreignClient(): Promise<acme.Client> {
  return new acme.Client({
    directoryUrl: authority.directoryUrl,
    accountKey: await acme.crypto.createPrivateEcdsaKey(),
    backoffMin: 20,
    backoffMax: 100,
  });
}

async function order(client: acme.Client, names: readonly string[]): Promise<string> {
  const [, csr] = await acme.crypto.createCsr({ altNames: [...names] });
  return client.auto({
    csr,
    termsOfServiceAgreed: true,
    challengePriority: ['dns-01'],
    skipChallengeVerification: true,
    async challengeCreateFn(authorization, _challenge, keyAuthorization) {
      const name = `_acme-challenge.${authorization.identifier.value}`;
      server.records.push({ type: 'TXT', name, ttl: 30, data: keyAuthorization });
    },
    challengeRemoveFn: () => Promise.resolve(),
  });
}

test('a foreign client gets a certificate through HTTPS and DNS, and revokes it', async () => {
  const client = await foreignClient();
  const chain = await order(client, [NAME, `*.${NAME}`]);
  const [leaf, intermediate] = acme.crypto.splitPemChain(chain).map((pem) => new X509Certificate(pem));
  const root = new X509Certificate(authority.rootPem);
  expect([leaf?.checkHost(NAME), leaf?.checkIssued(intermediate!)]).toEqual([NAME, true]);
  expect([leaf?.verify(intermediate!.publicKey), intermediate?.verify(root.publicKey)]).toEqual([true, true]);
  await client.revokeCertificate(chain);
  expect(authority.statistics()).toMatchObject({ orders: 1, certificates: 1, validations: 2, revocations: 1 });
  // Six vantage points look for themselves.
  expect(server.asked.filter((asked) => asked.startsWith('TXT'))).toHaveLength(12);
});

test('a foreign client changes its key, goes on with it and leaves', async () => {
  const client = await foreignClient();
  await client.createAccount({ termsOfServiceAgreed: true });
  await client.updateAccountKey(await acme.crypto.createPrivateRsaKey());
  await order(client, [NAME]);
  const left = await client.updateAccount({ status: 'deactivated' });
  expect(left.status).toBe('deactivated');
  await expect(order(client, [NAME])).rejects.toThrow(/deactivated/);
});

test('a name server without SOA in its negative answers costs the order, and the reason is told', async () => {
  server.carelessness = 'no-soa';
  await expect(order(await foreignClient(), [NAME])).rejects.toThrow(/CAA.*without SOA/);
  expect(authority.statistics()).toMatchObject({ failedValidations: 1, certificates: 0 });
});

test('CAA with the account pinned lets that account issue and no other', async () => {
  const client = await foreignClient();
  const stranger = await foreignClient();
  await client.createAccount({ termsOfServiceAgreed: true });
  const value = `model.lanyard.test; accounturi=${client.getAccountUrl()}; validationmethods=dns-01`;
  server.records.push({ type: 'CAA', name: 'devices.test', ttl: 30, data: { tag: 'issue', value } });
  expect(await order(client, [NAME])).toContain('BEGIN CERTIFICATE');
  await expect(order(stranger, [NAME])).rejects.toThrow(/CAA record for .* prevents issuance/);
});

test('a body without end is cut off with 413', async () => {
  const { port } = new URL(authority.directoryUrl);
  const status = await new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, path: '/acme/new-acct', method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.setHeader('User-Agent', 'test').on('error', reject);
    sent.setHeader('Content-Type', 'application/jose+json');
    sent.write(Buffer.alloc(70_000));
  });
  expect(status).toBe(413);
});

test('the door shows a certificate of its own root, which issues nothing else', async () => {
  const shown = await new Promise<boolean>((resolve, reject) => {
    get(authority.directoryUrl, { ca: authority.rootPem, agent: new Agent() }, () => resolve(true)).on('error', reject);
  }).catch((error: NodeJS.ErrnoException) => error.code);
  expect(shown).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  const prints = [authority.rootPem, authority.tlsRootPem].map((pem) => createHash('sha256').update(pem).digest('hex'));
  expect(prints[0]).not.toBe(prints[1]);
});

test('stop frees the port, and a second CA can take it', async () => {
  const port = Number(new URL(authority.directoryUrl).port);
  await authority.stop();
  agent.destroy();
  const options = {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    resolver: { host: '127.0.0.1', port: 1 },
  };
  authority = await startModelAuthority({ ...options, port });
  expect(new URL(authority.directoryUrl).port).toBe(String(port));
  await expect(startModelAuthority({ ...options, port })).rejects.toThrow(/listened/);
});
