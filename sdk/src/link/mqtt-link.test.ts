import { connect as connectTcp } from 'node:net';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import type { Logger } from '../kernel/logger.ts';
import { encodeDown } from '../protocol/down-message.ts';
import type { DownMessage } from '../protocol/down-message.ts';
import { downTopics } from '../protocol/topics.ts';
import type { UpMessage } from '../protocol/up-message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { DEVICE, useLinks } from './test-link.ts';

const SECOND = 1000;
const BYE: UpMessage = { kind: 'bye', bye: { id: 'bye-1', bootId: 'boot-1', reason: 'reboot' } };
const INSTALLED: UpMessage = { kind: 'installed', installed: { id: 'i-1', fingerprint: 'ab'.repeat(32) } };
const ACCEPTED: DownMessage = {
  kind: 'certificate',
  certificate: { kind: 'accepted', keyHash: 'cd'.repeat(32), etaSeconds: 5 },
};

const rig = useLinks();

describe('a link to a broker', () => {
  test('is up when its own topics, and only they, are confirmed', async () => {
    const broker = await rig.startBroker();
    const { link, next } = rig.makeLink(broker);
    const client = new Promise<string>((resolve) => broker.aedes.on('clientReady', ({ id }) => resolve(id)));
    await link.start();
    await next('up');
    expect(await client).toBe(DEVICE);
    expect(broker.userNames).toEqual([DEVICE]);
    // What the appliance says comes after all that it has subscribed to.
    link.send(BYE);
    await broker.said();
    expect(broker.subscriptions).toEqual(downTopics(DEVICE).map((topic) => ({ topic, qos: 1 })));
    expect(broker.connects).toMatchObject([{ clean: true, keepalive: 120, protocolVersion: 4 }]);
    expect(broker.connects[0]).not.toHaveProperty('will');
  });

  test('is up although an older broker does not know every topic', async () => {
    const broker = await rig.startBroker({
      authorizeSubscribe: (_, subscription, done) =>
        done(null, subscription.topic.endsWith('revocation') ? null : subscription),
    });
    const { link } = await rig.startLink(broker);
    expect(link.send(BYE)).toBe(true);
    expect(await broker.said()).toEqual(BYE);
    expect(link.send(INSTALLED)).toBe(true);
    expect(await broker.said()).toEqual(INSTALLED);
  });

  test('carries messages both ways', async () => {
    const broker = await rig.startBroker();
    const { link, next } = await rig.startLink(broker);
    expect(link.send(BYE)).toBe(true);
    expect(await broker.said()).toEqual(BYE);
    broker.say(ACCEPTED);
    expect(await next('message')).toEqual({ kind: 'message', message: ACCEPTED });
  });

  test('sends nothing while it is down, and forgets it', async () => {
    const broker = await rig.startBroker();
    const { link, next } = rig.makeLink(broker);
    expect(link.send(BYE)).toBe(false);
    await link.start();
    expect(link.send(BYE)).toBe(false);
    await next('up');
    expect(link.send(INSTALLED)).toBe(true);
    expect(await broker.said()).toEqual(INSTALLED);
    expect(broker.heard).toEqual([INSTALLED]);
  });

  test('drops what it cannot read and stays up', async () => {
    const broker = await rig.startBroker();
    const warnings: unknown[] = [];
    const log: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
    const { next, events } = await rig.startLink(broker, { log });
    const rubbish = ['', 'rubbish', '[]', '{"v":2}', '{"v":1,"kind":"issued"}', `{"v":1,"x":"${'x'.repeat(20_000)}"}`];
    for (const payload of rubbish) broker.publish('certificate', payload);
    broker.publish('certificate', new Uint8Array([0xff, 0xfe]));
    broker.publishRetained('certificate', encodeDown(ACCEPTED));
    broker.say(ACCEPTED);
    await next('message');
    expect(warnings).toHaveLength(rubbish.length + 2);
    expect(JSON.stringify(warnings)).not.toContain('xxx');
    expect(events.map(({ kind }) => kind)).toEqual(['up', 'message']);
  });

  test('survives a listener that throws', async () => {
    const broker = await rig.startBroker();
    const errors: unknown[] = [];
    const log: Logger = { ...silentLogger, error: (fields) => errors.push(fields) };
    const { next } = await rig.startLink(broker, {
      log,
      onEvent: () => {
        throw new Error('a defect of the listener');
      },
    });
    broker.say(ACCEPTED);
    await next('message');
    expect(errors).toHaveLength(2);
  });

  test('goes through the hop it is given', async () => {
    const broker = await rig.startBroker();
    const dialled: unknown[] = [];
    const { next, link } = rig.makeLink(broker, {
      brokerUrls: ['mqtts://127.0.0.1:1'],
      connect: (host, port) => {
        dialled.push({ host, port });
        return connectTcp(broker.port, '127.0.0.1');
      },
    });
    await link.start();
    await next('up');
    expect(dialled).toEqual([{ host: '127.0.0.1', port: 1 }]);
  });

  test('says what is wrong with a hop that is no stream', async () => {
    const hop: unknown = Promise.resolve();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as firmware in plain JavaScript would give it
    const { next, link } = rig.makeLink({ port: 1 }, { connect: () => hop as never });
    await link.start();
    const { error } = await next('down');
    expect(error).toMatchObject({ code: 'option-invalid', message: expect.stringContaining('not a promise') });
  });

  test('pings the broker when it has said nothing for the keepalive', async () => {
    const broker = await rig.startBroker();
    const clock = new VirtualClock();
    const pinged = new Promise((resolve) => broker.aedes.on('ping', resolve));
    await rig.startLink(broker, { clock, keepaliveSeconds: 30 });
    await clock.advance(31 * SECOND);
    await expect(pinged).resolves.toBeDefined();
  });

  test('says its last message and DISCONNECT before it stops, and nothing afterwards', async () => {
    const broker = await rig.startBroker();
    const { link, events } = await rig.startLink(broker);
    link.send(BYE);
    await link.stop();
    expect(broker.heard).toEqual([BYE]);
    expect(broker.goodbyes).toBe(1);
    expect(link.send(BYE)).toBe(false);
    expect(events.map(({ kind }) => kind)).toEqual(['up']);
  });

  test('can be started again after it was stopped', async () => {
    const broker = await rig.startBroker();
    const { link, next } = await rig.startLink(broker);
    await link.stop();
    await link.stop();
    await link.start();
    await link.start();
    await next('up');
    expect(broker.connects).toHaveLength(2);
  });

  test('stops in bounded time although the broker does not answer', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker({ authorizePublish: () => {} });
    const { link } = await rig.startLink(broker, { clock });
    link.send(BYE);
    const stopped = link.stop();
    await clock.advance(3 * SECOND);
    await expect(stopped).resolves.toBeUndefined();
  });

  test('refuses to start without a broker or with an address that is none', async () => {
    const broker = await rig.startBroker();
    for (const brokerUrls of [
      [],
      ['mqtt://127.0.0.1'],
      ['https://127.0.0.1'],
      ['mqtts://'],
      ['mqtts://u:p@host'],
      ['x'],
    ]) {
      const { link } = rig.makeLink(broker, { brokerUrls });
      await expect(link.start()).rejects.toMatchObject({ code: 'option-invalid' });
    }
  });
});
