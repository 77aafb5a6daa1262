import { createPrivateKey, X509Certificate } from 'node:crypto';
import { get } from 'node:https';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { seededRandom, VirtualClock } from '@lanyard/sdk/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectionCut } from './connection-cut.ts';
import { DirectWorld, refusalOf, SECOND_MS } from './direct-world.ts';
import { ModelAuthority } from './model-authority.ts';
import { BOULDER_POLICY } from './policy.ts';
import { startModelAuthority } from './start-model-authority.ts';
import { readStubCertificate, StubMaker } from './stub-maker.ts';
import { NAME, problem, TestWorld } from './test-world.ts';

let world: DirectWorld;

beforeEach(() => {
  world = new DirectWorld();
});

describe('by the direct door', () => {
  test('an unreachable CA does nothing, and comes back', async () => {
    const { controls } = world.core;
    controls.setFaults({ isUnreachable: true });
    await expect(world.door.newOrder({ names: ['a.test'] })).rejects.toMatchObject({ wasProcessed: false });
    expect(world.told('ordered')).toEqual([]);
    expect(world.told('cut')).toEqual([{ kind: 'cut', operation: 'new-order' }]);
    controls.clearFaults();
    await world.issue('a.test');
  });

  test('a failing CA answers 500 to everything, and does nothing', async () => {
    world.core.controls.setFaults({ isFailing: true });
    expect(await refusalOf(world.door.newOrder({ names: ['a.test'] }))).toMatchObject({ status: 500 });
    expect(world.told('refused')).toMatchObject([{ problem: 'serverInternal', status: 500 }]);
    expect(world.told('ordered')).toEqual([]);
  });

  test('a cut connection leaves an order that nobody was told of, and the next wish meets it', async () => {
    const { controls } = world.core;
    controls.setFaults({ cutShare: 1, cutOperations: ['new-order'] });
    await expect(world.door.newOrder({ names: ['a.test'] })).rejects.toMatchObject({ wasProcessed: true });
    controls.clearFaults();
    const { id } = await world.door.newOrder({ names: ['a.test'] });
    expect(world.told('ordered').map((event) => event.orderId)).toEqual([id]);
  });

  test('a part of the lines is cut, by the dice', async () => {
    const { id } = await world.door.newOrder({ names: ['a.test'] });
    world.core.controls.setFaults({ cutShare: 0.3 });
    const answers = await Promise.allSettled(Array.from({ length: 300 }, () => world.door.order(id)));
    const cut = answers.filter((answer) => answer.status === 'rejected');
    expect(cut.length).toBeGreaterThan(60);
    expect(cut.length).toBeLessThan(120);
    expect(cut.every((answer) => answer.reason instanceof ConnectionCut)).toBe(true);
    expect(world.told('cut')).toHaveLength(cut.length);
  });

  test('a slow CA answers late, and one that stops answers no more', async () => {
    world.core.controls.setFaults({ slowMs: 5 * SECOND_MS });
    let isAnswered = false;
    const asked = world.door.newOrder({ names: ['a.test'] }).then(() => (isAnswered = true));
    await world.clock.advance(4999);
    expect(isAnswered).toBe(false);
    await world.clock.advance(1);
    expect(await asked).toBe(true);
    const abandoned = world.door.newOrder({ names: ['b.test'] });
    await Promise.all([expect(abandoned).rejects.toThrow(ConnectionCut), world.core.stop()]);
  });

  test('a certificate is for another key, for another name or over, when asked for', async () => {
    const { controls } = world.core;
    controls.setFaults({ certificate: 'other-key' });
    expect(readStubCertificate((await world.issue('a.test')).der).keyFingerprint).not.toBe('key-1');
    controls.setFaults({ certificate: 'other-name' });
    expect(readStubCertificate((await world.issue('*.a.test')).der).names).toEqual(['*.other-a.test']);
    controls.setFaults({ certificate: 'expired' });
    const expired = await world.issue('b.test');
    expect(expired.notAfterMs).toBeLessThan(world.clock.nowMs());
    await world.issue('c.test');
    expect((await world.door.certificate(expired.serial)).serial).toBe(expired.serial);
  });
});

test('a look that takes longer than its limit fails the proof', async () => {
  const random = seededRandom(1);
  const clock = new VirtualClock();
  const core = new ModelAuthority({
    clock,
    random,
    log: silentLogger,
    policy: { ...BOULDER_POLICY, validationDelayMs: 0 },
    maker: new StubMaker({ random }),
    perspectives: [{ txt: never, caa: never }],
    baseUrl: 'https://ca.test',
  });
  const door = core.direct({ thumbprint: 'a' });
  const [id = ''] = (await door.newOrder({ names: ['a.test'] })).authorizationIds;
  await door.trigger(id);
  await clock.advance(59_999);
  expect((await door.authorization(id)).status).toBe('pending');
  await clock.advance(1);
  expect(await door.authorization(id)).toMatchObject({ status: 'invalid' });
  expect((await door.authorization(id)).problem?.detail).toBe('DNS problem: query timed out');
});

describe('over HTTP', () => {
  test('500 is a problem document, and a cut line is told apart from it', async () => {
    const http = new TestWorld();
    await http.client.register();
    http.core.controls.setFaults({ isFailing: true });
    expect(await http.client.get('/directory')).toEqual(problem(500, 'serverInternal'));
    http.core.controls.setFaults({ isFailing: false, cutShare: 1, cutOperations: ['new-order'] });
    await expect(http.newOrder()).rejects.toThrow(ConnectionCut);
    http.core.controls.clearFaults();
    await http.newOrder();
    expect(http.core.statistics()).toMatchObject({ orders: 1, reusedOrders: 1 });
  });

  test('real certificates are wrong in the same ways', async () => {
    const http = new TestWorld();
    await http.client.register();
    http.core.controls.setFaults({ certificate: 'other-name' });
    expect(new X509Certificate((await http.issue()).pem).checkHost(NAME)).toBeUndefined();
    http.core.controls.setFaults({ certificate: 'expired' });
    expect(new X509Certificate((await http.issue()).pem).validToDate.getTime()).toBeLessThan(http.clock.nowMs());
    http.core.controls.setFaults({ certificate: 'other-key' });
    const { pem, key } = await http.issue();
    expect(new X509Certificate(pem).checkPrivateKey(createPrivateKey(key))).toBe(false);
  });

  test('the door destroys the socket', async () => {
    const options = { clock: systemClock, random: systemRandom, log: silentLogger };
    const authority = await startModelAuthority({ ...options, resolver: { host: '127.0.0.1', port: 1 } });
    authority.controls.setFaults({ isUnreachable: true });
    const code = await new Promise((resolve) => {
      get(authority.directoryUrl, { ca: authority.tlsRootPem }).on('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code),
      );
    });
    await authority.stop();
    expect(code).toBe('ECONNRESET');
  });
});

function never(_name: string, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('abandoned')));
  });
}
