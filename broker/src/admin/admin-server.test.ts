import { once } from 'node:events';
import { connect, Server } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '@lanyard/sdk/kernel';
import { AdminServer } from './admin-server.ts';
import type { Registry } from './registry.ts';

const refuse = (): Promise<never> => Promise.reject(new Error('not in this test'));
const registry: Registry = {
  enrol: refuse,
  list: refuse,
  show: refuse,
  renew: refuse,
  revoke: refuse,
  replaceAll: refuse,
};
const foreign = { observe: refuse, list: refuse, settle: refuse };
const running: AdminServer[] = [];

function serverOn(port: number): AdminServer {
  const server = new AdminServer({
    registry,
    foreign,
    refusedKeys: { refuse, list: refuse },
    probe: { publish: refuse },
    health: () => [],
    token: 't',
    log: silentLogger,
    host: '127.0.0.1',
    port,
  });
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

test('it answers on the port that it says', async () => {
  const server = serverOn(0);
  await server.start();
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`);
  expect(await response.json()).toEqual({ status: 'ok', findings: [] });
});

test('a port that is taken is named', async () => {
  const first = serverOn(0);
  await first.start();
  await expect(serverOn(first.port).start()).rejects.toMatchObject({
    code: 'listener-failed',
    message: expect.stringContaining(`admin API on 127.0.0.1:${first.port}`),
  });
});

test('running out of file descriptors costs connections, not the process', async () => {
  const created: Server[] = [];
  const listen = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given) {
    created.push(this);
    listen.mockRestore();
    return this.listen(...given);
  });
  const server = serverOn(0);
  await server.start();
  for (let time = 0; time < 3; time++) created[0]?.emit('error', new Error('accept EMFILE'));
  expect(created).toHaveLength(1);
  const response = await fetch(`http://127.0.0.1:${server.port}/healthz`);
  expect(response.status).toBe(200);
});

test('it stops although somebody holds a connection open', async () => {
  const server = serverOn(0);
  await server.start();
  const idler = connect(server.port, '127.0.0.1');
  await once(idler, 'connect');
  idler.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(idler, 'data');
  idler.on('error', () => {});
  const closed = once(idler, 'close');
  await server.stop();
  await closed;
  await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow('fetch failed');
});

test('stopping is harmless before the start', async () => {
  await expect(serverOn(0).stop()).resolves.toBeUndefined();
});
