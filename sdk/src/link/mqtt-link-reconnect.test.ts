import { connect as connectTcp } from 'node:net';
import type { AedesOptions } from 'aedes';
import { describe, expect, test } from 'vitest';
import type { UpMessage } from '../protocol/up-message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { LinkEvent } from './link.ts';
import { issue } from './test-authority.ts';
import { DEVICE, dice, refuseWith, refusedHop, useLinks } from './test-link.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const BYE: UpMessage = { kind: 'bye', bye: { id: 'bye-1', bootId: 'boot-1', reason: 'reboot' } };
const INSTALLED: UpMessage = { kind: 'installed', installed: { id: 'i-1', fingerprint: 'ab'.repeat(32) } };

const rig = useLinks();

describe('a link that is lost', () => {
  test('comes back within the spread that the broker told', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker();
    const { link, next } = await rig.startLink(broker, { clock, random: dice(0.75) });
    link.setReconnectSpread(20 * MINUTE);
    await clock.advance(2 * MINUTE);
    broker.cutAll();
    const down = await next('down');
    expect(down.error.code).toBe('broker-unreachable');
    expect(down.retryAtMs - clock.nowMs()).toBe(15 * MINUTE);
    await clock.advance(15 * MINUTE - 1);
    expect(broker.connects).toHaveLength(1);
    await clock.advance(1);
    await next('up');
    expect(broker.connects).toHaveLength(2);
  });

  test('comes back after the broker was killed and started again', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker();
    const { next } = await rig.startLink(broker, { clock });
    await broker.kill();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { error, retryAtMs } = await next('down');
      expect(error.code).toBe('broker-unreachable');
      if (attempt === 2) await rig.startBroker({}, undefined, broker.port);
      await clock.advance(retryAtMs - clock.nowMs());
    }
    await next('up');
  });

  test('does not repeat what was never acknowledged', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker({ authorizePublish: (_, packet) => broker.receive(packet) });
    const { link, next } = await rig.startLink(broker, { clock });
    link.send(INSTALLED);
    await broker.said();
    broker.cutAll();
    const { retryAtMs } = await next('down');
    await clock.advance(retryAtMs - clock.nowMs());
    await next('up');
    link.send(BYE);
    await broker.said();
    expect(broker.heard).toEqual([INSTALLED, BYE]);
  });

  test('waits longer and longer while it fails, up to ten minutes', async () => {
    const waits = await waitsOf({}, 16, { brokerUrls: ['mqtts://127.0.0.1:1'], connect: () => refusedHop() });
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8].map((seconds) => seconds * SECOND));
    expect(waits.at(-1)).toBe(10 * MINUTE);
  });

  test('grows its waits too when the broker lets it in and throws it out at once', async () => {
    const clock = new VirtualClock();
    const broker = await rig.startBroker();
    const onEvent = ({ kind }: LinkEvent): void => {
      if (kind === 'up') broker.cutAll();
    };
    const { next } = await rig.startLink(broker, { clock, random: dice(0.999), onEvent });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const { retryAtMs } = await next('down');
      waits.push(Math.ceil((retryAtMs - clock.nowMs()) / SECOND));
      await clock.advance(retryAtMs - clock.nowMs());
    }
    expect(waits).toEqual([1, 2, 4, 8]);
  });
});

describe('a broker that refuses', () => {
  test.each([
    [3, 'broker-unreachable', 10 * MINUTE],
    [2, 'broker-refused', 30 * MINUTE],
    [4, 'broker-refused', 30 * MINUTE],
    [5, 'broker-refused', 30 * MINUTE],
  ])('with return code %i is asked again much later', async (returnCode, code, capMs) => {
    const waits = await waitsOf(refuseWith(returnCode), 7, {}, code);
    expect(waits[0]).toBe(MINUTE);
    expect(waits.at(-1)).toBe(capMs);
  });

  test('the subscriptions is a broker that refuses the identity', async () => {
    const broker = await rig.startBroker({
      authorizeSubscribe: (_, subscription, done) =>
        done(null, subscription.topic.endsWith('state') ? null : subscription),
    });
    const { link, next } = rig.makeLink(broker);
    await link.start();
    expect((await next('down')).error.code).toBe('broker-refused');
  });

  test('the certificate by a TLS alert is a broker that refuses the identity', async () => {
    const stranger = await issue({ commonName: DEVICE }, await issue({ commonName: 'stranger', isAuthority: true }));
    const { link, next } = rig.makeLink(await rig.startOpenSsl(), { identity: { ...rig.identity, ...stranger } });
    await link.start();
    const { error } = await next('down');
    expect(error).toMatchObject({ code: 'broker-refused' });
    expect(error.message).toContain('identity certificate');
  });
});

describe('several brokers', () => {
  test('are tried in turn, and the one that answered is tried first next time', async () => {
    const clock = new VirtualClock();
    const dialled: number[] = [];
    const broker = await rig.startBroker();
    const { link, next } = rig.makeLink(broker, {
      clock,
      brokerUrls: ['mqtts://127.0.0.1:1', `mqtts://127.0.0.1:${broker.port}`, 'mqtts://127.0.0.1:3'],
      connect: (host, port) => {
        dialled.push(port);
        return port === broker.port ? connectTcp(port, host) : refusedHop();
      },
    });
    await link.start();
    await next('up');
    expect(dialled.splice(0)).toEqual([1, broker.port]);
    broker.cutAll();
    const { retryAtMs } = await next('down');
    await clock.advance(retryAtMs - clock.nowMs());
    await next('up');
    expect(dialled).toEqual([broker.port]);
  });

  test('that all fail are named together', async () => {
    const broker = await rig.startBroker();
    const { link, next } = rig.makeLink(broker, {
      brokerUrls: ['mqtts://a.example.com', 'mqtts://[::1]:443'],
      connect: () => refusedHop(),
    });
    await link.start();
    const { error } = await next('down');
    expect(error.message).toMatch(/^mqtts:\/\/a\.example\.com: .+; mqtts:\/\/\[::1\]:443: .+$/);
  });

  test('are left alone for a while when one of them is overloaded', async () => {
    const overloaded = await rig.startBroker(refuseWith(3));
    const clock = new VirtualClock();
    const broker = await rig.startBroker();
    const brokerUrls = [overloaded, broker].map(({ port }) => `mqtts://127.0.0.1:${port}`);
    const { link, next } = rig.makeLink(broker, { brokerUrls, clock });
    await link.start();
    const { retryAtMs } = await next('down');
    expect(broker.connects).toHaveLength(0);
    await clock.advance(retryAtMs - clock.nowMs());
    await next('up');
    expect(overloaded.connects).toHaveLength(1);
  });
});

/** The waits after `count` failures in a row, with dice that always show almost one. */
async function waitsOf(
  options: AedesOptions,
  count: number,
  wish: Parameters<typeof rig.makeLink>[1] = {},
  code = 'broker-unreachable',
): Promise<readonly number[]> {
  const broker = await rig.startBroker(options);
  const { link, next, clock } = rig.makeLink(broker, { random: dice(1 - 1e-9), ...wish });
  await link.start();
  const waits: number[] = [];
  while (waits.length < count) {
    const { error, retryAtMs } = await next('down');
    expect(error.code).toBe(code);
    waits.push(Math.ceil((retryAtMs - clock.nowMs()) / SECOND) * SECOND);
    await clock.advance(retryAtMs - clock.nowMs());
  }
  return waits;
}
