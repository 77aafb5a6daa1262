import { beforeEach, describe, expect, test } from 'vitest';
import type { DirectCertificate } from './direct-door.ts';
import { DAY_MS, DirectWorld, HOUR_MS, refusalOf } from './direct-world.ts';
import { ordinaryWindow } from './renewal-window.ts';
import { certIdOf, NAME, problem, TestWorld } from './test-world.ts';

const MINUTE_MS = 60_000;

/** Room for exactly one of everything. */
const TIGHT = {
  limits: {
    newOrdersPerAccount: { burst: 1, periodMs: 1000 * DAY_MS },
    certificatesPerDomain: { burst: 1, periodMs: 1000 * DAY_MS },
    certificatesPerSet: { burst: 1, periodMs: 1000 * DAY_MS },
  },
  ceilings: {},
};

let world: DirectWorld;
let first: DirectCertificate;

beforeEach(async () => {
  world = new DirectWorld({ limits: TIGHT });
  first = await world.issue('a.v.test');
});

async function advanceTo(atMs: number): Promise<void> {
  await world.clock.advance(atMs - world.clock.nowMs());
}

describe('the window', () => {
  test.each([
    [90 * DAY_MS, 60 * DAY_MS, 43.2],
    [64 * DAY_MS, (64 * DAY_MS * 2) / 3, 30.72],
    [45 * DAY_MS, 30 * DAY_MS, 21.6],
    [160 * HOUR_MS, 80 * HOUR_MS, 3.2],
  ])('of a life of %i ms is centred at %i ms and %f hours wide', (lifeMs, centreMs, hours) => {
    const { startMs, endMs } = ordinaryWindow(0, lifeMs - 1000);
    expect((endMs - startMs) / HOUR_MS).toBeCloseTo(hours, 2);
    expect(Math.abs((startMs + endMs) / 2 - centreMs)).toBeLessThan(2000);
  });

  test('is asked again after six hours, give or take a fifth, never twice the same', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.door.renewalInfo(first.certId)));
    const pauses = answers.map((answer) => answer.retryAfterSeconds);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(4.8 * 3600);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(7.2 * 3600);
    expect(new Set(pauses).size).toBeGreaterThan(40);
  });

  test('of a revoked certificate is over', async () => {
    await world.door.revoke(first.serial, 4);
    const nowMs = world.clock.nowMs();
    expect(await world.door.renewalInfo(first.certId)).toMatchObject({
      startMs: nowMs - 60 * MINUTE_MS,
      endMs: nowMs - 30 * MINUTE_MS,
    });
  });

  test('of nothing is not found', async () => {
    expect(await refusalOf(world.door.renewalInfo('abc.def'))).toMatchObject({ status: 404 });
    const [, serial] = first.certId.split('.');
    expect(await refusalOf(world.door.renewalInfo(`b3RoZXI.${serial}`))).toMatchObject({ status: 404 });
  });
});

describe('replaces', () => {
  test('outside the window, be it by a millisecond, exempts from nothing', async () => {
    const { startMs, endMs } = await world.door.renewalInfo(first.certId);
    const replacing = { names: ['a.v.test', 'b.v.test'], replaces: first.certId };
    await advanceTo(startMs - 1);
    expect(await refusalOf(world.door.newOrder(replacing))).toMatchObject({ status: 429 });
    await advanceTo(endMs);
    expect(await refusalOf(world.door.newOrder(replacing))).toMatchObject({ status: 429 });
  });

  test('inside the window no limit is asked and nothing is overdrawn', async () => {
    const { startMs } = await world.door.renewalInfo(first.certId);
    await advanceTo(startMs);
    const order = await world.door.newOrder({ names: ['a.v.test', 'b.v.test'], replaces: first.certId });
    await world.finish(order);
    expect(world.told('ordered').at(-1)).toMatchObject({ isRenewal: false, isReplacing: true });
    expect(world.told('overdrawn')).toEqual([]);
  });

  test('at its last millisecond still does', async () => {
    const { endMs } = await world.door.renewalInfo(first.certId);
    await advanceTo(endMs - 1);
    const order = await world.door.newOrder({ names: ['a.v.test'], replaces: first.certId });
    expect(order.status).toBe('pending');
  });

  test('of a revoked certificate is late: the exact set is counted', async () => {
    await world.door.revoke(first.serial);
    const refusal = await refusalOf(world.door.newOrder({ names: ['a.v.test'], replaces: first.certId }));
    expect(refusal.detail).toContain('exact set');
  });

  test('is refused while another order replaces the same, and after it did', async () => {
    const { startMs } = await world.door.renewalInfo(first.certId);
    await advanceTo(startMs);
    const wish = { names: ['a.v.test'], replaces: first.certId };
    const order = await world.door.newOrder(wish);
    const refused = { type: 'alreadyReplaced', status: 409, detail: expect.stringContaining(first.serial) };
    expect(await refusalOf(world.door.newOrder(wish))).toEqual(refused);
    await world.finish(order);
    expect(await refusalOf(world.door.newOrder(wish))).toEqual(refused);
    await world.clock.advance(20 * DAY_MS);
    expect(await refusalOf(world.door.newOrder(wish))).toEqual(refused);
  });

  test('is free again when the order that had it failed or ended', async () => {
    const { startMs } = await world.door.renewalInfo(first.certId);
    await advanceTo(startMs);
    const wish = { names: ['c.v.test', 'a.v.test'], replaces: first.certId };
    await world.prove(await world.door.newOrder(wish), world.door, false);
    const { id } = await world.door.newOrder({ ...wish, profile: 'tlsserver' });
    await world.clock.advance(9 * HOUR_MS);
    expect((await world.door.newOrder(wish)).id).not.toBe(id);
  });

  test('of another account, another name or nothing refuses the whole order', async () => {
    const stranger = world.account('stranger');
    const theirs = await refusalOf(stranger.newOrder({ names: ['a.v.test'], replaces: first.certId }));
    expect(theirs).toMatchObject({ type: 'unauthorized', status: 403 });
    const other = await refusalOf(world.door.newOrder({ names: ['z.v.test'], replaces: first.certId }));
    expect(other).toMatchObject({ type: 'malformed', detail: expect.stringContaining('do not match') });
    expect((await refusalOf(world.door.newOrder({ names: ['a.v.test'], replaces: 'ab.cd' }))).status).toBe(404);
    expect(world.told('ordered')).toHaveLength(1);
  });
});

describe('mass revocation', () => {
  test('moves the windows at once, says why, and revokes when the notice is over', async () => {
    const { core, clock, door } = world;
    core.controls.announceRevocation({ noticeMs: DAY_MS, explanationUrl: 'https://ca.test/incident' });
    expect(await door.renewalInfo(first.certId)).toMatchObject({
      endMs: clock.nowMs() - 30 * MINUTE_MS,
      explanationUrl: 'https://ca.test/incident',
    });
    core.controls.setLimits({ limits: {} });
    await clock.advance(HOUR_MS);
    const second = await world.issue({ names: ['a.v.test'], replaces: first.certId });
    expect((await door.renewalInfo(second.certId)).startMs).toBeGreaterThan(clock.nowMs());
    expect(world.told('revoked')).toEqual([]);
    await clock.advance(DAY_MS);
    expect(world.told('revoked')).toEqual([{ kind: 'revoked', serial: first.serial, names: ['a.v.test'], reason: 4 }]);
    expect(core.statistics().revocations).toBe(1);
  });

  test('is forgotten by a CA that stops', async () => {
    world.core.controls.announceRevocation({ noticeMs: DAY_MS });
    await world.core.stop();
    expect(world.clock.nextTimerMs()).toBeUndefined();
  });
});

describe('over HTTP', () => {
  test('the window is fetched without a signature and the order says what it replaces', async () => {
    const http = new TestWorld();
    await http.client.register();
    const certId = certIdOf((await http.issue()).pem);
    const reply = await http.client.get(`/acme/renewal-info/${certId}`);
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({
      suggestedWindow: { start: '2027-01-20T01:24:00Z', end: '2027-01-21T20:36:00Z' },
    });
    expect(Number(reply.headers['Retry-After'])).toBeGreaterThan(4 * 3600);
    expect((await http.client.get('/directory')).json.renewalInfo).toBe('https://ca.test/acme/renewal-info');
    expect(await http.client.get('/acme/renewal-info/x')).toEqual(problem(400, 'malformed'));
    const order = await http.newOrder([NAME], { replaces: certId });
    expect([order.status, order.json.replaces]).toEqual([201, certId]);
    expect(await http.newOrder([NAME], { replaces: certId })).toEqual(problem(409, 'alreadyReplaced'));
  });
});
