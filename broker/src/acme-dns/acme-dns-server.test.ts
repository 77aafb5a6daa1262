import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { expect, onTestFinished, test } from 'vitest';
import { AcmeDnsServer } from './acme-dns-server.ts';
import { Networks } from './networks.ts';

const HOST = '127.0.0.1';

async function start(port = 0): Promise<AcmeDnsServer> {
  const server = new AcmeDnsServer({
    accounts: {
      register: async (allowFrom) => ({ username: 'u', password: 'p', name: 'n', label: 'l', allowFrom }),
      authenticate: () => undefined,
      update: async () => {},
    },
    admission: { kind: 'open', from: new Networks([HOST]) },
    proxies: new Networks([]),
    clock: new VirtualClock(),
    log: silentLogger,
    host: HOST,
    port,
  });
  onTestFinished(() => server.stop());
  await server.start();
  return server;
}

test('it answers who it sees, and ends', async () => {
  const server = await start();
  const url = `http://${HOST}:${server.port}`;
  expect((await fetch(`${url}/health`)).status).toBe(200);
  // Only who comes from the loopback address may register: the server has seen it.
  expect((await fetch(`${url}/register`, { method: 'POST' })).status).toBe(201);
  await server.stop();
  await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
});

test('an address in use is named', async () => {
  const { port } = await start();
  await expect(start(port)).rejects.toMatchObject({
    code: 'listener-failed',
    message: expect.stringContaining(`acme-dns API on ${HOST}:${port}`),
  });
});
