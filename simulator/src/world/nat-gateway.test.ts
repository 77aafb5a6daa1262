import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NatGateway } from './nat-gateway.ts';
import { UNHINDERED } from './site.ts';

const site = { name: 'site-1', kind: 'home', lan: '192.168.1', publicAddress: '198.18.3.4', ...UNHINDERED } as const;
let server: Server;
let port = 0;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(() => void server.close());

async function dialled(gateway: NatGateway): Promise<{ readonly client: Socket; readonly header: Buffer }> {
  const header = new Promise<Buffer>((resolve) => {
    server.once('connection', (inner: Socket) => void inner.once('data', resolve));
  });
  const client = gateway.dial('127.0.0.1', port);
  client.on('error', () => {});
  return { client, header: await header };
}

test('the first bytes are a PROXY header with the site’s public address and a port of the NAT', async () => {
  const gateway = new NatGateway(site);
  const { client, header } = await dialled(gateway);
  expect(header.subarray(0, 16).toString('hex')).toBe('0d0a0d0a000d0a515549540a2111000c');
  expect([...header.subarray(16, 24)]).toEqual([198, 18, 3, 4, 127, 0, 0, 1]);
  expect(header.readUInt16BE(24)).toBe(49_152);
  expect(header.readUInt16BE(26)).toBe(port);
  const next = await dialled(gateway);
  expect(next.header.readUInt16BE(24)).toBe(49_153);
  for (const each of [client, next.client]) each.destroy();
});

test('a router that restarts ends every connection in the middle of everything', async () => {
  const gateway = new NatGateway(site);
  const { client } = await dialled(gateway);
  const closed = once(client, 'close');
  gateway.dropMappings();
  await closed;
  expect(client.destroyed).toBe(true);
});

test('while its line is cut nothing gets through, and afterwards everything does', async () => {
  const gateway = new NatGateway(site);
  const { client } = await dialled(gateway);
  const closed = once(client, 'close');
  gateway.cut();
  await closed;
  const [error]: unknown[] = await once(gateway.dial('127.0.0.1', port), 'error');
  expect(error).toMatchObject({ code: 'ENETUNREACH' });

  gateway.mend();
  const again = await dialled(gateway);
  expect(again.header).toHaveLength(28);
  again.client.destroy();
});

test('a broker that expects no PROXY header gets none', async () => {
  const first = new Promise<Buffer>((resolve) => {
    server.once('connection', (inner: Socket) => void inner.once('data', resolve));
  });
  const client = new NatGateway(site, { isAnnounced: false }).dial('127.0.0.1', port);
  client.write('hello');

  expect((await first).toString()).toBe('hello');
  client.destroy();
});
