import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { LIMITS, downTopic, downTopics, encodeUp, upTopic } from '@lanyard/sdk/protocol';
import type { DownMessage } from '@lanyard/sdk/protocol';
import type { MqttClient } from 'mqtt';
import { generate, parser } from 'mqtt-packet';
import type { IPublishPacket, Packet, QoS } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bench, closed, connectPacket, happens, packetsUntilClose } from './test-bench.ts';

const VICTIM = 'appliance-1';
const ATTACKER = 'appliance-2';
const BYE = encodeUp({ kind: 'bye', bye: { id: 'request-1', bootId: 'boot-1', reason: 'reboot' } });
const UNLIMITED = { burst: 1e9, perSecond: 0 };

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(async () => {
  await bench.stop();
});

async function restart(settings: Parameters<typeof Bench.start>[0]): Promise<void> {
  await bench.stop();
  bench = await Bench.start(settings);
}

function publish(topic: string, packet: Partial<IPublishPacket> = {}): Buffer {
  return generate({ cmd: 'publish', topic, payload: BYE, qos: 1, messageId: 9, retain: false, dup: false, ...packet });
}

function subscribe(topics: readonly string[], qos: QoS = 1): Buffer {
  return generate({ cmd: 'subscribe', messageId: 7, subscriptions: topics.map((topic) => ({ topic, qos })) });
}

function problem(ref: string, sizeCharacters = 10): DownMessage {
  const message = 'x'.repeat(sizeCharacters);
  return { kind: 'problem', problem: { code: 'busy', message, retryable: true, ref } };
}

/** An appliance that has shaken hands and said nothing yet. */
async function stranger(): Promise<TLSSocket> {
  return await bench.tls(await bench.authority.issue({ commonName: ATTACKER }));
}

/** Collects what a raw client hears. */
class Ear {
  readonly packets: Packet[] = [];
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    const reader = parser();
    reader.on('packet', (packet: Packet) => this.packets.push(packet));
    socket.on('data', (chunk: Buffer) => reader.parse(chunk));
    this.#socket = socket;
  }

  /** Resolves when `count` packets have arrived. */
  async hears(count: number): Promise<readonly Packet[]> {
    while (this.packets.length < count) await once(this.#socket, 'data');
    return this.packets;
  }
}

/** Sends probes and waits for the last: whatever else was on its way to this appliance would have come before it. */
async function hearsNothingBut(client: MqttClient, deviceId: string): Promise<void> {
  for (const ref of ['probe-1', 'probe-2']) {
    const heard = happens(client, 'message');
    expect(bench.broker.send(deviceId, problem(ref))).toBe(true);
    await heard;
  }
  const foreign = bench.heard(client).filter((line) => !line.includes('"ref":"probe-'));
  expect(foreign).toEqual([]);
  expect(bench.heard(client).at(-1)).toContain(downTopic(deviceId, 'problem'));
}

describe('before an appliance is accepted', () => {
  test('a CONNECT that announces 256 MiB is cut off at its header, not when memory is full', async () => {
    const socket = await stranger();
    const gone = closed(socket);
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    const chunk = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    while (!socket.closed && sentBytes < 256 * 1024 * 1024) {
      sentBytes += chunk.length;
      await new Promise((resolve) => socket.write(chunk, resolve));
    }
    await gone;
    expect(await bench.log.find('too-large')).toMatchObject({ deviceId: ATTACKER });
    // What the kernel's buffers swallow before the reset comes back; 211 MB went into the unguarded engine.
    expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
  });

  test('anything but CONNECT ends the connection, as does noise', async () => {
    for (const bytes of [publish(upTopic(ATTACKER, 'bye')), generate({ cmd: 'pingreq' }), Buffer.alloc(500, 0xff)]) {
      const socket = await stranger();
      socket.write(bytes);
      await closed(socket);
    }
    expect(bench.conversation.callers).toEqual([]);
    expect(await bench.log.find('not-connect-first')).toBeDefined();
  });

  test('another appliance’s client id or user name is refused, and that appliance stays', async () => {
    const victim = await bench.appliance(VICTIM);
    for (const identity of [{ clientId: VICTIM }, { username: VICTIM }, { clientId: '' }]) {
      const socket = await stranger();
      const answer = packetsUntilClose(socket);
      socket.write(connectPacket(ATTACKER, identity));
      expect(await answer).toMatchObject([{ cmd: 'connack', returnCode: 5 }]);
    }
    expect(bench.conversation.callers.map(({ deviceId }) => deviceId)).toEqual([VICTIM]);
    await hearsNothingBut(victim, VICTIM);
  });

  test('the same id with another key is for the conversation to refuse, and the true one stays', async () => {
    const victim = await bench.appliance(VICTIM);
    const trueHash = bench.conversation.callers[0]?.identityKeyHash;
    bench.conversation.onAdmit = ({ identityKeyHash }) =>
      Promise.resolve(identityKeyHash === trueHash ? { kind: 'welcome' } : { kind: 'refused', reason: 'other-key' });
    const [error] = await happens(await bench.client(VICTIM), 'error');
    expect(error).toMatchObject({ code: 5 });
    expect(bench.conversation.departed).toEqual([]);
    await hearsNothingBut(victim, VICTIM);
  });

  test.each([0, 1201, 65_535])('a keep-alive of %i seconds is refused', async (keepalive) => {
    const socket = await stranger();
    const answer = packetsUntilClose(socket);
    socket.write(connectPacket(ATTACKER, { keepalive }));
    expect(await answer).toMatchObject([{ cmd: 'connack', returnCode: 6 }]);
  });

  test('MQTT 5 is refused by the return code that says so', async () => {
    const socket = await stranger();
    const answer = packetsUntilClose(socket);
    socket.write(connectPacket(ATTACKER, { protocolVersion: 5 }));
    expect(await answer).toMatchObject([{ cmd: 'connack', returnCode: 1 }]);
  });

  test('packets sent together with CONNECT wait for the answer to it', async () => {
    const socket = await stranger();
    const ear = new Ear(socket);
    const early = [connectPacket(ATTACKER), subscribe(downTopics(ATTACKER)), publish(upTopic(ATTACKER, 'bye'))];
    socket.write(Buffer.concat(early));
    const [first, ...others] = (await ear.hears(3)).map(({ cmd }) => cmd);
    expect([first, new Set(others.slice(0, 2))]).toEqual(['connack', new Set(['suback', 'puback'])]);
    expect(bench.conversation.received).toHaveLength(1);
  });
});

describe('what an accepted appliance may not hear', () => {
  test.each([
    '#',
    '+/#',
    'lanyard/v1/d/+/down/problem',
    `lanyard/v1/d/${ATTACKER}/down/#`,
    downTopic(VICTIM, 'problem'),
    upTopic(VICTIM, 'bye'),
    '$SYS/#',
    `$share/group/${downTopic(VICTIM, 'problem')}`,
    'a/topic/of/many/more/levels/than/ours/have',
  ])('"%s" is not granted, what is its own beside it is', async (filter) => {
    const victim = await bench.appliance(VICTIM);
    const socket = await bench.raw(ATTACKER);
    const ear = new Ear(socket);
    socket.write(subscribe([filter, downTopic(ATTACKER, 'problem')]));
    expect(await ear.hears(1)).toMatchObject([{ cmd: 'suback', granted: [0x80, 1] }]);
    await hearsNothingBut(victim, VICTIM);
    expect(bench.broker.send(ATTACKER, problem('yours'))).toBe(true);
    expect(await ear.hears(2)).toMatchObject([{}, { cmd: 'publish', topic: downTopic(ATTACKER, 'problem') }]);
    expect(await bench.log.find('what it may not')).toMatchObject({ deviceId: ATTACKER, what: 'subscribe' });
  });

  test('a session that outlives the connection does not exist: nothing was kept for it', async () => {
    const first = await bench.raw(ATTACKER, { clean: false });
    const ear = new Ear(first);
    first.write(subscribe([downTopic(ATTACKER, 'problem'), downTopic(VICTIM, 'problem')]));
    await ear.hears(1);
    first.destroy();
    await once(bench.conversation, 'gone');
    const victim = await bench.appliance(VICTIM);
    expect(bench.broker.send(ATTACKER, problem('missed'))).toBe(false);
    await hearsNothingBut(victim, VICTIM);
    const second = await bench.tls(await bench.authority.issue({ commonName: ATTACKER }));
    const secondEar = new Ear(second);
    second.write(Buffer.concat([connectPacket(ATTACKER, { clean: false }), generate({ cmd: 'pingreq' })]));
    expect(await secondEar.hears(2)).toMatchObject([
      { cmd: 'connack', returnCode: 0, sessionPresent: false },
      { cmd: 'pingresp' },
    ]);
  });
});

describe('what an accepted appliance may not say', () => {
  test('publishing for or to another appliance is acknowledged and goes nowhere', async () => {
    const victim = await bench.appliance(VICTIM);
    const attacker = await bench.appliance(ATTACKER);
    for (const topic of [upTopic(VICTIM, 'bye'), downTopic(VICTIM, 'problem'), '$SYS/x', 'anything', 'a/'.repeat(90)]) {
      await attacker.publishAsync(topic, BYE, { qos: 1 });
    }
    await hearsNothingBut(victim, VICTIM);
    expect(bench.conversation.received).toEqual([]);
    expect(attacker.connected).toBe(true);
    expect(bench.log.lines).toHaveLength(1);
  });

  test('who keeps trying is disconnected', async () => {
    const attacker = await bench.appliance(ATTACKER);
    const lost = happens(attacker, 'close');
    for (let count = 0; count < 9; count++) attacker.publish(upTopic(VICTIM, 'bye'), BYE, { qos: 1 });
    await lost;
    expect(bench.conversation.received).toEqual([]);
  });

  test('a retained message is taken as an ordinary one and kept for nobody', async () => {
    const socket = await bench.raw(ATTACKER);
    const ear = new Ear(socket);
    socket.write(publish(upTopic(ATTACKER, 'bye'), { retain: true }));
    socket.write(publish(downTopic(ATTACKER, 'problem'), { retain: true }));
    await ear.hears(2);
    expect(bench.conversation.received).toHaveLength(1);
    socket.write(subscribe(downTopics(ATTACKER)));
    socket.write(generate({ cmd: 'pingreq' }));
    const packets = await ear.hears(4);
    expect(packets.map(({ cmd }) => cmd)).toEqual(['puback', 'puback', 'suback', 'pingresp']);
  });

  test('a last will is dropped', async () => {
    const victim = await bench.appliance(VICTIM);
    const will = { topic: downTopic(VICTIM, 'problem'), payload: BYE, qos: 1, retain: true } as const;
    const own = { topic: upTopic(ATTACKER, 'bye'), payload: BYE, qos: 1, retain: false } as const;
    for (const lastWill of [will, own]) {
      const socket = await bench.raw(ATTACKER, { will: lastWill });
      socket.destroy();
      await once(bench.conversation, 'gone');
    }
    await hearsNothingBut(victim, VICTIM);
    expect(bench.conversation.received).toEqual([]);
  });

  test('QoS 2 is not spoken', async () => {
    const socket = await bench.raw(ATTACKER);
    socket.write(publish(upTopic(ATTACKER, 'bye'), { qos: 2 }));
    await closed(socket);
    expect(await bench.log.find('qos-2')).toBeDefined();
  });

  test('a subscription with QoS 2 or 0 is served', async () => {
    const socket = await bench.raw(ATTACKER);
    const ear = new Ear(socket);
    socket.write(subscribe([downTopic(ATTACKER, 'problem')], 2));
    await ear.hears(1);
    expect(bench.broker.send(ATTACKER, problem('high'))).toBe(true);
    expect((await ear.hears(2))[1]).toMatchObject({ cmd: 'publish', qos: 1 });
    socket.write(subscribe([downTopic(ATTACKER, 'problem')], 0));
    await ear.hears(3);
    expect(bench.broker.send(ATTACKER, problem('low'))).toBe(true);
    expect((await ear.hears(4))[3]).toMatchObject({ cmd: 'publish', qos: 0 });
  });

  test('a body above 16 KiB is a problem, a packet above 17 KiB the end', async () => {
    const socket = await bench.raw(ATTACKER);
    const ear = new Ear(socket);
    socket.write(subscribe(downTopics(ATTACKER)));
    socket.write(publish(upTopic(ATTACKER, 'csr'), { payload: Buffer.alloc(LIMITS.bodyBytes + 1) }));
    const packets = await ear.hears(3);
    expect(packets.map(({ cmd }) => cmd)).toEqual(['suback', 'puback', 'publish']);
    expect(String(packets.at(-1)?.cmd === 'publish' && Reflect.get(packets.at(-1) ?? {}, 'payload'))).toMatch(
      /too-large/,
    );
    socket.write(publish(upTopic(ATTACKER, 'csr'), { payload: Buffer.alloc(17 * 1024) }));
    await closed(socket);
    expect(await bench.log.find('too-large')).toBeDefined();
  });

  test('malformed JSON is answered by a problem, again and again, and logged once', async () => {
    const appliance = await bench.appliance(ATTACKER);
    for (let count = 0; count < 3; count++) {
      const heard = happens(appliance, 'message');
      appliance.publish(upTopic(ATTACKER, 'hello'), '{"v":1,', { qos: 1 });
      const [topic, payload] = await heard;
      expect([topic, JSON.parse(String(payload))]).toMatchObject([
        downTopic(ATTACKER, 'problem'),
        { v: 1, code: 'bad-request', retryable: false },
      ]);
    }
    expect(bench.log.lines).toHaveLength(1);
  });

  test('a flood of publishes ends the connection and reaches nobody beyond the limit', async () => {
    const socket = await bench.raw(ATTACKER);
    socket.write(Buffer.concat(Array.from({ length: 200 }, () => publish(upTopic(ATTACKER, 'bye')))));
    await closed(socket);
    expect(await bench.log.find('too-fast')).toBeDefined();
    expect(bench.conversation.received.length).toBeLessThanOrEqual(30);
  });
});

describe('many and slow', () => {
  test('20,000 messages queued at once do not overflow the stack', async () => {
    await restart({ settings: { publishRate: UNLIMITED, packetRate: UNLIMITED } });
    bench.conversation.onReceive = () => new Promise(() => undefined);
    const socket = await bench.raw(ATTACKER);
    const ear = new Ear(socket);
    const COUNT = 20_000;
    const own = publish(upTopic(ATTACKER, 'bye'));
    for (let sent = 0; sent < COUNT; sent += 1000) socket.write(Buffer.concat(Array.from({ length: 1000 }, () => own)));
    const packets = await ear.hears(COUNT);
    expect(packets.every(({ cmd }) => cmd === 'puback')).toBe(true);
    expect(bench.conversation.received).toHaveLength(1);
    await hearsNothingBut(await bench.appliance(VICTIM), VICTIM);
  });

  test('20,000 messages to one appliance in one go are cut off at the limit, the next one goes through', async () => {
    const appliance = await bench.appliance(VICTIM);
    const heard = happens(appliance, 'message');
    const sent = Array.from({ length: 20_000 }, (_, index) => bench.broker.send(VICTIM, problem(`number-${index}`)));
    expect(sent.filter(Boolean)).toHaveLength(16);
    await heard;
    await nextTurn();
    expect(bench.broker.send(VICTIM, problem('after'))).toBe(true);
  });

  test('an appliance that stops reading delays nobody, costs little, and is disconnected', async () => {
    await restart({ settings: { drainTimeoutMs: 300 } });
    const other = await bench.appliance(VICTIM);
    const frozen = await bench.raw(ATTACKER);
    const ear = new Ear(frozen);
    frozen.write(subscribe(downTopics(ATTACKER)));
    await ear.hears(1);
    frozen.pause();
    const gone = once(bench.conversation, 'gone');
    let refusals = 0;
    for (let round = 0; refusals < 20 && round < 200_000; round++) {
      refusals = bench.broker.send(ATTACKER, problem(`number-${round}`, 500)) ? 0 : refusals + 1;
      await nextTurn();
    }
    expect(refusals).toBe(20);
    await hearsNothingBut(other, VICTIM);
    expect(await gone).toEqual([ATTACKER]);
    await hearsNothingBut(other, VICTIM);
  });
});
