import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import dnsPacket from 'dns-packet';
import type { Answer, Packet } from 'dns-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dnsClient, readEndpoint } from './dns-client.ts';
import type { Endpoint } from './dns-client.ts';

const AUTHORITATIVE = 1 << 10;
const TRUNCATED = 1 << 9;
const TXT: Answer = { type: 'TXT', name: 'a.example', ttl: 1, data: ['one ', 'two'] };

let udp: Socket;
let tcp: Server;
let endpoint: Endpoint;

/** What the server makes of a question; none: it keeps silent. */
let answers: (query: Packet, isUdp: boolean) => readonly Packet[] = () => [];

beforeEach(async () => {
  udp = createSocket('udp4');
  tcp = createServer((connection) => {
    connection.once('data', (data) => {
      const [packet] = answers(dnsPacket.decode(data.subarray(2)), false);
      if (packet === undefined) {
        connection.end();
        return;
      }
      const bytes = dnsPacket.streamEncode(packet);
      // In two pieces, as TCP may deliver it.
      connection.write(bytes.subarray(0, 5), () => connection.end(bytes.subarray(5)));
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  endpoint = { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
  await new Promise<void>((resolve) => udp.bind(endpoint.port, endpoint.host, resolve));
  udp.on('message', (message, peer) => {
    for (const packet of answers(dnsPacket.decode(message), true)) {
      udp.send(dnsPacket.encode(packet), peer.port, peer.address);
    }
  });
});

afterEach(async () => {
  await new Promise<void>((resolve) => udp.close(() => resolve()));
  await new Promise<void>((resolve) => tcp.close(() => resolve()));
});

/** Waits are short here: loopback answers at once or not at all. */
const clock: Clock = { ...systemClock, setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / 10, callback) };

const ask = (byTcp = false) =>
  dnsClient({ clock, random: systemRandom, endpointOf: () => endpoint })({
    server: 'any',
    name: 'a.example',
    type: 'TXT',
    byTcp,
  });

function right({ id, questions = [] }: Packet): Packet {
  return { type: 'response', ...(id !== undefined && { id }), flags: AUTHORITATIVE, questions, answers: [TXT] };
}

test.each([false, true])('an answer, by TCP: %s', async (byTcp) => {
  answers = (query) => [right(query)];
  expect(await ask(byTcp)).toEqual({
    kind: 'reply',
    rcode: 0,
    isAuthoritative: true,
    isCaseKept: true,
    ednsBytes: undefined,
    answers: [{ name: 'a.example', type: 'TXT', data: 'one two' }],
    authorities: [],
    additionals: [],
  });
});

test('what does not fit is fetched by TCP', async () => {
  answers = (query, isUdp) => [isUdp ? { ...right(query), answers: [], flags: TRUNCATED } : right(query)];
  expect(await ask()).toMatchObject({ kind: 'reply', answers: [{ data: 'one two' }] });
});

test('a question that comes back in lower case is noticed', async () => {
  answers = (query) => [
    { ...right(query), questions: (query.questions ?? []).map((one) => ({ ...one, name: 'a.example' })) },
  ];
  const seen = await Promise.all(Array.from({ length: 12 }, () => ask()));
  expect(seen.some((outcome) => outcome.kind === 'reply' && !outcome.isCaseKept)).toBe(true);
});

test('noise before the answer is passed over', async () => {
  answers = (query) => [
    { ...right(query), id: ((query.id ?? 0) + 1) % 65_536 },
    { ...right(query), questions: [] },
    right(query),
  ];
  expect(await ask()).toMatchObject({ kind: 'reply', rcode: 0 });
});

test('a lost packet is asked for again', async () => {
  let count = 0;
  answers = (query) => (++count === 1 ? [] : [right(query)]);
  expect(await ask()).toMatchObject({ kind: 'reply' });
});

test('silence comes to an end', async () => {
  answers = () => [];
  expect(await ask()).toEqual({ kind: 'silence', reason: 'no answer', isUnroutable: false });
  expect(await ask(true)).toMatchObject({ kind: 'silence', reason: 'the connection ended without an answer' });
});

test.each([
  ['1.1.1.1', { host: '1.1.1.1', port: 53 }],
  ['127.0.0.1:5335', { host: '127.0.0.1', port: 5335 }],
  ['::1', { host: '::1', port: 53 }],
  ['[::1]', { host: '::1', port: 53 }],
  ['[::1]:5335', { host: '::1', port: 5335 }],
])('%s is at %j', (server, expected) => {
  expect(readEndpoint(server)).toEqual(expected);
});
