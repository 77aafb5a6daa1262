/** Servers that show the best certificate there is, over real sockets on the loopback. */
import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer as createPlain } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { connect, createServer as createTlsServer } from 'node:tls';
import type { DetailedPeerCertificate, Server as TlsServer } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { LanyardError } from '../kernel/errors.ts';
import { silentLogger } from '../kernel/logger.ts';
import { issue } from '../link/test-authority.ts';
import { HttpsServing } from './https-serving.ts';
import { makeSelfSigned } from './self-signed.ts';
import type { TlsPair } from './tls-pair.ts';

const LOCAL = { port: 0, host: '127.0.0.1' };
const WISH = { names: ['box.devices.example'], addresses: ['127.0.0.1', 'fd00::4', 'nonsense'], nowMs: Date.now() };

let first: TlsPair;
let second: TlsPair;
const open: TlsServer[] = [];
const agents: Agent[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([pairFor('first.example'), pairFor('second.example')]);
});

afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
  for (const server of open.splice(0)) server.close();
});

test('with a stored certificate it is shown at once', async () => {
  const { serving } = servingWith(first);
  const server = await serve(serving);
  expect(await namesShownBy(server)).toBe('DNS:first.example');
});

test('without one a self-signed certificate answers, and is replaced when the first arrives', async () => {
  const { serving, install } = servingWith(undefined);
  const server = await serve(serving);
  const stopgap = await shownBy(server);
  expect(stopgap.subject.CN).toBe('lanyard self-signed');
  expect(stopgap.subjectaltname).toContain('DNS:box.devices.example, IP Address:127.0.0.1');
  install(first);
  await serving.refresh();
  expect(await namesShownBy(server)).toBe('DNS:first.example');
});

test('a swap leaves open connections alone and shows the new certificate to new ones', async () => {
  const { serving, install } = servingWith(first);
  const server = await serve(serving);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  agents.push(agent);
  const before = await get(server, agent);
  install(second);
  await serving.refresh();
  const after = await get(server, agent);
  expect(after).toEqual({ text: 'hello', localPort: before.localPort });
  expect(await namesShownBy(server)).toBe('DNS:second.example');
});

test('a server of one’s own is kept up to date, with its own settings', async () => {
  const { serving, install } = servingWith(first);
  const server = createServer({ minVersion: 'TLSv1.3' }, (_, response) => void response.end('own'));
  open.push(server);
  await serving.attach(server, { minVersion: 'TLSv1.3' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  install(second);
  await serving.refresh();
  expect(await namesShownBy(server)).toBe('DNS:second.example');
  await expect(shownBy(server, 'TLSv1.2')).rejects.toThrow(/protocol|alert/i);
});

test('a plain TLS server can be attached too', async () => {
  const { serving } = servingWith(first);
  const server = createTlsServer((socket) => socket.end());
  open.push(server);
  await serving.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await namesShownBy(server)).toBe('DNS:first.example');
});

test('a certificate that cannot be loaded leaves the server with the one it has', async () => {
  const { serving, install } = servingWith(first);
  const server = await serve(serving);
  install({ keyPem: first.keyPem, chainPem: second.chainPem });
  await serving.refresh();
  expect(await namesShownBy(server)).toBe('DNS:first.example');
});

test('a port in use is an error that names it', async () => {
  const { serving } = servingWith(first);
  const server = await serve(serving);
  const port = portOf(server);
  await expect(serving.serve(() => {}, { port, host: '127.0.0.1' })).rejects.toMatchObject({
    code: 'listener-failed',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

const handle = (): void => {};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as firmware in plain JavaScript would give it
const wrong = (value: unknown): never => value as never;

test.each<[string, (serving: HttpsServing) => unknown, string]>([
  ['no options', (serving) => serving.serve(handle, wrong(undefined)), 'option port '],
  ['no port', (serving) => serving.serve(handle, wrong({})), 'option port '],
  ['a port that is none', (serving) => serving.serve(handle, { port: 70_000 }), 'option port '],
  ['no handler', (serving) => serving.serve(wrong(undefined), LOCAL), 'option handler '],
  ['unknown ciphers', (serving) => serving.serve(handle, { ...LOCAL, tls: { ciphers: 'none' } }), 'option tls '],
  ['unknown ciphers of its own', (serving) => serving.attach(createServer(), { ciphers: 'none' }), 'option tls '],
  ['a server without TLS', (serving) => serving.attach(wrong(createPlain())), 'option server '],
])('%s: what is wrong is named at once', async (_, call, named) => {
  const { serving } = servingWith(first);
  await expect((async () => await call(serving))()).rejects.toMatchObject({
    code: 'option-invalid',
    message: expect.stringContaining(named),
  });
});

test('a server that is attached again is watched once, with what was said last', async () => {
  const { serving, install } = servingWith(first);
  const server = createServer();
  open.push(server);
  await serving.attach(server);
  const before = server.listenerCount('close');
  await serving.attach(server, { minVersion: 'TLSv1.3' });
  expect(server.listenerCount('close')).toBe(before);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  install(second);
  await serving.refresh();
  await expect(shownBy(server, 'TLSv1.2')).rejects.toThrow(/protocol|alert/i);
});

test('a stopgap that could not be made is tried again', async () => {
  let attempts = 0;
  const serving = new HttpsServing({
    log: silentLogger,
    certificate: () => undefined,
    makeSelfSigned: () => (++attempts === 1 ? Promise.reject(new LanyardError('internal')) : makeSelfSigned(WISH)),
  });
  await expect(serving.serve(() => {}, LOCAL)).rejects.toThrow(LanyardError);
  expect((await shownBy(await serve(serving))).subject.CN).toBe('lanyard self-signed');
});

test('a stopgap that was made slowly does not replace a later one', async () => {
  const finish = new EventEmitter();
  const pairs = [once(finish, 'finish').then(() => first), Promise.resolve(second)];
  const serving = new HttpsServing({
    log: silentLogger,
    certificate: () => undefined,
    makeSelfSigned: () => pairs.shift() ?? Promise.reject(new LanyardError('internal')),
  });
  const server = createServer();
  open.push(server);
  const attached = serving.attach(server);
  serving.forgetSelfSigned();
  await serving.refresh();
  finish.emit('finish');
  await attached;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await namesShownBy(server)).toBe('DNS:second.example');
});

test('the stopgap lasts a year, is for servers only, and can be followed to no CA', async () => {
  const { chainPem } = await makeSelfSigned({ ...WISH, nowMs: Date.UTC(2026, 10, 22) });
  const certificate = new X509Certificate(chainPem);
  expect(certificate.validTo).toBe('Nov 22 00:00:00 2027 GMT');
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subjectAltName).toMatch(
    /DNS:box.devices.example, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:4/,
  );
});

function servingWith(start: TlsPair | undefined) {
  let pair = start;
  const serving = new HttpsServing({
    log: silentLogger,
    certificate: () => pair,
    makeSelfSigned: () => makeSelfSigned(WISH),
  });
  return { serving, install: (next: TlsPair) => (pair = next) };
}

async function serve(serving: HttpsServing): Promise<HttpsServer> {
  const server = await serving.serve((_, response) => void response.end('hello'), LOCAL);
  open.push(server);
  return server;
}

async function pairFor(host: string): Promise<TlsPair> {
  const { keyPem, certificatePem } = await issue({ commonName: host, hosts: [host] });
  return { keyPem, chainPem: certificatePem };
}

function portOf(server: TlsServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

async function namesShownBy(server: TlsServer): Promise<string | undefined> {
  return (await shownBy(server)).subjectaltname;
}

function shownBy(server: TlsServer, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const options = { port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false, maxVersion } as const;
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function get(server: TlsServer, agent: Agent): Promise<{ text: string; localPort: number | undefined }> {
  return new Promise((resolve, reject) => {
    const call = request({ port: portOf(server), host: '127.0.0.1', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      const { localPort } = response.socket;
      response.on('end', () => resolve({ text, localPort }));
    });
    call.on('error', reject).end();
  });
}
