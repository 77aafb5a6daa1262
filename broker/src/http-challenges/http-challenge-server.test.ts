import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChallengeRecord } from '../certificates/challenge-board.ts';
import { HttpChallengeServer } from './http-challenge-server.ts';

const HOST = 'a1b2c3.devices.example';
const TOKEN = 'DGyRejmCefe7v4NfDGDKfA-DGyRejmCefe7v4NfDGDK';
const RECORD: ChallengeRecord = { kind: 'http', name: HOST, value: `${TOKEN}.thumbprint` };
const PATH = `/.well-known/acme-challenge/${TOKEN}`;
const LOOPBACK = '127.0.0.1';

let server: HttpChallengeServer;

beforeEach(async () => {
  server = new HttpChallengeServer({ host: LOOPBACK, port: 0, log: silentLogger });
  await server.start();
});
afterEach(() => server.stop());

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

async function ask(host: string, path: string, method = 'GET'): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: LOOPBACK, port: server.port, path, method, headers: { host }, agent: false };
    request(options, resolve).on('error', reject).end();
  });
  return { status: response.statusCode ?? 0, type: response.headers['content-type'], body: await text(response) };
}

describe('a challenge that is up', () => {
  beforeEach(() => server.put(RECORD));

  test.each([
    ['the host', HOST],
    ['the host with its port', `${HOST}:80`],
    ['the host in capitals', HOST.toUpperCase()],
    ['the host with its final dot', `${HOST}.:8080`],
  ])('is answered to who asks for %s', async (_what, host) => {
    expect(await ask(host, PATH)).toEqual({ status: 200, type: 'text/plain; charset=utf-8', body: RECORD.value });
  });

  test.each([
    ['another host', 'z9y8x7.devices.example', PATH, 'GET'],
    ['a host below', `www.${HOST}`, PATH, 'GET'],
    ['no host', '', PATH, 'GET'],
    ['the address', LOOPBACK, PATH, 'GET'],
    ['another token', HOST, PATH.replace('DGy', 'DGz'), 'GET'],
    ['the folder', HOST, '/.well-known/acme-challenge/', 'GET'],
    ['something below', HOST, `${PATH}/`, 'GET'],
    ['a query', HOST, `${PATH}?`, 'GET'],
    ['a detour', HOST, `/x/..${PATH}`, 'GET'],
    ['a whole URL', HOST, `http://${HOST}${PATH}`, 'GET'],
    ['the front page', HOST, '/', 'GET'],
    ['another method', HOST, PATH, 'POST'],
    ['the head alone', HOST, PATH, 'HEAD'],
  ])('is not answered to who asks for %s', async (_what, host, path, method) => {
    const answer = await ask(host, path, method);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('thumbprint');
  });

  test('is gone once it is cleared, twice or not', async () => {
    await server.clear(RECORD);
    await server.clear(RECORD);
    expect((await ask(HOST, PATH)).status).toBe(404);
    expect(await server.list()).toEqual([]);
  });

  test('is one, however often it is put up', async () => {
    await server.put(RECORD);
    expect(await server.list()).toEqual([RECORD]);
  });
});

test('two challenges of one host are answered side by side', async () => {
  const other = { ...RECORD, value: 'other-token-of-enough-characters.thumbprint' };
  await server.put(RECORD);
  await server.put(other);
  expect((await ask(HOST, PATH)).body).toBe(RECORD.value);
  expect((await ask(HOST, PATH.replace(TOKEN, 'other-token-of-enough-characters'))).body).toBe(other.value);
});

test('ten thousand are enough: one more is put off, and those that are up can still be repeated', async () => {
  const record = (number: number): ChallengeRecord => ({ ...RECORD, name: `n${number}.example` });
  for (let number = 0; number < 10_000; number += 1) await server.put(record(number));
  await expect(server.put(RECORD)).rejects.toMatchObject({ code: 'dns-serving-failed', retryAfterMs: 60_000 });
  await server.put(record(7));
  await server.clear(record(0));
  await server.put(RECORD);
  expect((await ask(HOST, PATH)).status).toBe(200);
});

test('what is no HTTP is answered by a hang-up', async () => {
  const socket = connect(server.port, LOOPBACK);
  socket.end('\u0016\u0003\u0001 hello\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

test('it ends although somebody holds a connection', async () => {
  const socket = connect(server.port, LOOPBACK);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await server.stop();
  expect(await closed).toBeDefined();
});

test('an address in use is named', async () => {
  const second = new HttpChallengeServer({ host: LOOPBACK, port: server.port, log: silentLogger });
  await expect(second.start()).rejects.toMatchObject({
    code: 'listener-failed',
    message: expect.stringContaining('http-01 on 127.0.0.1:'),
  });
});
