import { createHash, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LanyardError } from '@lanyard/sdk/kernel';
import { downTopic, encodeUp, parseDown, upTopic } from '@lanyard/sdk/protocol';
import type { DownMessage, Hello, UpMessage } from '@lanyard/sdk/protocol';
import type { MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bench, happens } from './test-bench.ts';

const ME = 'appliance-1';

const HELLO: Hello = {
  id: 'request-1',
  bootId: 'boot-1',
  clockMs: 0,
  addresses: [],
  sdkVersion: '0.1.0',
  rebinding: 'unknown',
};

function hello(id = 'request-1'): Buffer {
  return encodeUp({ kind: 'hello', hello: { ...HELLO, id } });
}

function problem(ref: string): DownMessage {
  return { kind: 'problem', problem: { code: 'busy', message: 'wait', retryable: true, retryAfterSeconds: 1, ref } };
}

/** The next message that the appliance hears. */
async function nextMessage(client: MqttClient): Promise<DownMessage> {
  const [topic, payload]: unknown[] = await happens(client, 'message');
  const kind = (['state', 'certificate', 'problem'] as const).find((known) => String(topic).endsWith(`/${known}`));
  if (kind === undefined || !Buffer.isBuffer(payload)) throw new Error('not one of our messages');
  const parsed = parseDown(kind, JSON.parse(payload.toString()));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(async () => {
  await bench.stop();
});

describe('a conversation', () => {
  test('is opened by the identity in the certificate: its id, the hash of its key, where it comes from', async () => {
    const identity = await bench.authority.issue({ commonName: ME });
    const client = await bench.client(ME, { cert: identity.certificatePem, key: identity.keyPem });
    await happens(client, 'connect');
    const spki = createPublicKey(identity.keyPem).export({ type: 'spki', format: 'der' });
    const identityKeyHash = createHash('sha256').update(spki).digest('hex');
    expect(bench.conversation.callers).toEqual([{ deviceId: ME, identityKeyHash, sourceAddress: '127.0.0.1' }]);
  });

  test('goes both ways, in order, on the topics of that appliance', async () => {
    bench.conversation.onReceive = () => Promise.resolve([problem('first'), problem('second')]);
    const client = await bench.appliance(ME);
    const answers: DownMessage[] = [];
    const heardBoth = new Promise<void>((resolve) => {
      client.on('message', (topic, payload) => {
        expect(topic).toBe(downTopic(ME, 'problem'));
        const parsed = parseDown('problem', JSON.parse(payload.toString()));
        if (parsed.ok && answers.push(parsed.value) === 2) resolve();
      });
    });
    await client.publishAsync(upTopic(ME, 'hello'), hello(), { qos: 1 });
    await heardBoth;
    expect(answers).toEqual([problem('first'), problem('second')]);
    expect(bench.conversation.received).toEqual([{ deviceId: ME, message: { kind: 'hello', hello: HELLO } }]);
  });

  test('takes one message of an appliance at a time and never forgets one that was accepted', async () => {
    const gates: (() => void)[] = [];
    bench.conversation.onReceive = () => new Promise((resolve) => gates.push(() => resolve([])));
    const client = await bench.appliance(ME);
    for (const id of ['a', 'b', 'c']) await client.publishAsync(upTopic(ME, 'hello'), hello(id), { qos: 1 });
    expect(bench.conversation.received).toHaveLength(1);
    client.end(true);
    for (const count of [1, 2, 3]) {
      if (bench.conversation.received.length < count) await once(bench.conversation, 'receive');
      gates[count - 1]?.();
    }
    await once(bench.conversation, 'gone');
    const ids = bench.conversation.received.map(({ message }) => idOf(message));
    expect([ids, bench.conversation.departed]).toEqual([['a', 'b', 'c'], [ME]]);
  });

  test('a message that fails is answered by a problem with a reference that the log has too', async () => {
    bench.conversation.onReceive = () =>
      Promise.reject(new LanyardError('store-failed', { message: 'secret path', retryAfterMs: 7000 }));
    const client = await bench.appliance(ME);
    const answer = nextMessage(client);
    await client.publishAsync(upTopic(ME, 'hello'), hello(), { qos: 1 });
    const { ref } = await bench.log.find('could not be answered');
    expect(await answer).toMatchObject({
      kind: 'problem',
      problem: { id: 'request-1', code: 'internal', retryable: true, retryAfterSeconds: 7, ref },
    });
    expect(JSON.stringify(await answer)).not.toContain('secret path');
  });

  test('the broker speaks first when it wants to, and knows when nobody listens', async () => {
    expect(bench.broker.send(ME, problem('early'))).toBe(false);
    const client = await bench.appliance(ME);
    const heard = nextMessage(client);
    expect(bench.broker.send(ME, problem('now'))).toBe(true);
    expect(await heard).toEqual(problem('now'));
    await client.unsubscribeAsync(downTopic(ME, 'problem'));
    expect(bench.broker.send(ME, problem('unheard'))).toBe(false);
  });
});

describe('admission', () => {
  test.each([
    [{ kind: 'refused', reason: 'unknown' }, 5],
    [{ kind: 'refused', reason: 'disabled' }, 5],
    [{ kind: 'refused', reason: 'other-key' }, 5],
    [{ kind: 'overloaded' }, 3],
  ] as const)('%j is told by return code %i', async (admission, returnCode) => {
    bench.conversation.onAdmit = () => Promise.resolve(admission);
    const client = await bench.client(ME);
    const [error] = await happens(client, 'error');
    expect(error).toMatchObject({ code: returnCode });
    expect(bench.broker.isConnected(ME)).toBe(false);
  });

  test('a failing store is "come back later"', async () => {
    bench.conversation.onAdmit = () => Promise.reject(new LanyardError('store-failed'));
    const [error] = await happens(await bench.client(ME), 'error');
    expect(error).toMatchObject({ code: 3 });
  });
});

describe('presence', () => {
  test('is counted, and its end is told once', async () => {
    const client = await bench.appliance(ME);
    await bench.appliance('appliance-2');
    expect([bench.broker.connectedCount(), bench.broker.isConnected(ME)]).toEqual([2, true]);
    client.end();
    expect(await once(bench.conversation, 'gone')).toEqual([ME]);
    expect([bench.broker.connectedCount(), bench.broker.isConnected(ME)]).toEqual([1, false]);
    expect(bench.conversation.departed).toEqual([ME]);
  });

  test('an appliance that comes back takes over from its half-open self, and does not count as gone', async () => {
    const first = await bench.appliance(ME);
    const lost = happens(first, 'close');
    const second = await bench.appliance(ME);
    await lost;
    const heard = nextMessage(second);
    expect(bench.broker.send(ME, problem('you'))).toBe(true);
    await heard;
    expect([bench.conversation.departed, bench.broker.connectedCount()]).toEqual([[], 1]);
    second.end();
    await once(bench.conversation, 'gone');
    expect(bench.conversation.departed).toEqual([ME]);
  });

  test('many reconnects of one identity at once leave exactly one connection, which works', async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => bench.client(ME)));
    await Promise.all(clients.map((client) => happens(client, 'connect').catch(() => undefined)));
    const last = await bench.appliance(ME);
    const heard = nextMessage(last);
    expect(bench.broker.send(ME, problem('only-you'))).toBe(true);
    await heard;
    expect([bench.broker.connectedCount(), bench.conversation.departed]).toEqual([1, []]);
  });

  test('its end is the last that is heard of an appliance that speaks and vanishes', async () => {
    const events: string[] = [];
    for (const event of ['receive', 'gone']) bench.conversation.on(event, () => events.push(event));
    const packet = { cmd: 'publish', qos: 1, messageId: 1, retain: false, dup: false } as const;
    const last = generate({ ...packet, topic: upTopic(ME, 'hello'), payload: hello() });
    for (const leave of ['end', 'destroy'] as const) {
      const gone = once(bench.conversation, 'gone');
      const socket = await bench.raw(ME);
      socket.write(last, () => socket[leave]());
      await gone;
      // As many turns as the engine takes for a message several times over.
      for (let turn = 0; turn < 50; turn++) await nextTurn();
      expect(events.at(-1)).toBe('gone');
    }
    expect(events).toContain('receive');
  });

  test('the operator can end a connection', async () => {
    const client = await bench.appliance(ME);
    const lost = happens(client, 'close');
    bench.broker.disconnect(ME);
    await lost;
    bench.broker.disconnect('appliance-9');
    expect(bench.broker.isConnected(ME)).toBe(false);
  });
});

describe('life of the server', () => {
  test('a new server certificate serves the next connection and leaves the others alone', async () => {
    const client = await bench.appliance(ME);
    const fresh = await bench.authority.issue({ commonName: 'broker.renewed', use: 'server' });
    bench.broker.setCredentials({ ...fresh, clientRootPem: bench.authority.rootPem });
    const socket = await bench.tls(await bench.authority.issue({ commonName: 'appliance-2' }));
    expect(socket.getPeerCertificate().subject.CN).toBe('broker.renewed');
    expect(client.connected).toBe(true);
  });

  test('stopping answers what was accepted, ends every session and frees the port', async () => {
    const gate: ((messages: readonly DownMessage[]) => void)[] = [];
    bench.conversation.onReceive = () => new Promise((resolve) => gate.push(resolve));
    const client = await bench.appliance(ME);
    const heard = nextMessage(client);
    const lost = happens(client, 'close');
    const { port } = bench;
    client.publish(upTopic(ME, 'hello'), hello(), { qos: 1 });
    await once(bench.conversation, 'receive');
    const stopped = bench.broker.stop();
    gate[0]?.([problem('last-words')]);
    expect(await heard).toEqual(problem('last-words'));
    await Promise.all([stopped, lost]);
    expect([bench.broker.address(), bench.broker.connectedCount()]).toEqual([undefined, 0]);
    const second = await Bench.start({ settings: { port } });
    await second.stop();
  });

  test('stopping twice, or without having started, is harmless', async () => {
    await bench.broker.stop();
    await expect(bench.broker.stop()).resolves.toBeUndefined();
  });

  test('an address that is taken is a clear error', async () => {
    const { port } = bench;
    await expect(Bench.start({ settings: { port } })).rejects.toMatchObject({ code: 'listener-failed' });
  });
});

function idOf(message: UpMessage): string | undefined {
  return message.kind === 'hello' ? message.hello.id : undefined;
}
