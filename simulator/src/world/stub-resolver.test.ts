import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { VirtualClock } from '@lanyard/sdk/testing';
import { decode, encode } from 'dns-packet';
import { askForAddresses } from './stub-resolver.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A name server that answers as it is told; `heard` counts the questions. */
async function nameServer(answer: (question: Buffer, count: number) => Buffer | undefined) {
  const socket = createSocket('udp4');
  sockets.push(socket);
  let count = 0;
  socket.on('message', (question: Buffer, from: RemoteInfo) => {
    const reply = answer(question, ++count);
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { endpoint: { host: '127.0.0.1', port: socket.address().port }, heard: () => count };
}

function replyTo(question: Buffer, addresses: readonly string[]): Buffer {
  const { id, questions = [] } = decode(question);
  const name = questions[0]?.name ?? '';
  const answers = addresses.map((data) => ({ type: 'A', name, ttl: 60, data }) as const);
  return encode({ type: 'response', id: id ?? 0, questions, answers });
}

test('a name is asked for once, and its addresses come back', async () => {
  const { endpoint, heard } = await nameServer((question) => replyTo(question, ['10.1.1.4', '10.1.1.5']));
  expect(await askForAddresses(endpoint, 'a.devices.example.com', new VirtualClock())).toEqual([
    '10.1.1.4',
    '10.1.1.5',
  ]);
  expect(heard()).toBe(1);
});

test('a name without addresses has none', async () => {
  const { endpoint } = await nameServer((question) => replyTo(question, []));
  expect(await askForAddresses(endpoint, 'a.devices.example.com', new VirtualClock())).toEqual([]);
});

test('a question that is lost is asked again after a second, and at last given up', async () => {
  const clock = new VirtualClock();
  const { endpoint, heard } = await nameServer(() => {
    void clock.advance(1_000);
    return undefined;
  });
  const asked = askForAddresses(endpoint, 'a.devices.example.com', clock);
  await expect(asked).rejects.toMatchObject({ code: 'dns-serving-failed' });
  expect(heard()).toBe(4);
  expect(clock.monotonicMs()).toBe(4_000);
});

test('an answer that is no DNS message is not believed', async () => {
  const { endpoint, heard } = await nameServer((question, count) =>
    count === 1 ? Buffer.from('hello') : replyTo(question, ['10.1.1.4']),
  );
  expect(await askForAddresses(endpoint, 'a.devices.example.com', new VirtualClock())).toEqual(['10.1.1.4']);
  expect(heard()).toBe(2);
});
