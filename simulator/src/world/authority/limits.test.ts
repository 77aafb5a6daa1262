import { describe, expect, test } from 'vitest';
import { DAY_MS, DirectWorld, HOUR_MS, only, refusalOf, SECOND_MS } from './direct-world.ts';
import { LETSENCRYPT, LETSENCRYPT_OVERRIDE, LETSENCRYPT_STAGING } from './rate-limits.ts';

const AT_LETSENCRYPT = { limits: LETSENCRYPT };

describe('new orders per account', () => {
  test('300 are let through, the next is told in Boulder’s words when to come back', async () => {
    const world = new DirectWorld({ limits: only('newOrdersPerAccount', LETSENCRYPT.limits.newOrdersPerAccount) });
    for (let count = 0; count < 300; count += 1) await world.door.newOrder({ names: [`n${count}.a.test`] });
    const refusal = await refusalOf(world.door.newOrder({ names: ['one-more.a.test'] }));
    expect(refusal).toMatchObject({ type: 'rateLimited', status: 429 });
    expect(refusal.detail).toMatch(
      /^too many new orders \(300\) from this account in the last 3h0m0s, retry after 2026-11-22 00:00:3\d UTC: see https:\/\/letsencrypt\.org\/docs\/rate-limits\/#new-orders-per-account$/,
    );
    await world.clock.advance(36 * SECOND_MS);
    await world.door.newOrder({ names: ['one-more.a.test'] });
    expect(world.told('limited')).toEqual([
      { kind: 'limited', limit: 'newOrdersPerAccount', key: '1', retryAfterMs: expect.closeTo(36_500, -3) },
    ]);
    expect(world.told('overdrawn')).toEqual([]);
  });

  test('another account has a bucket of its own', async () => {
    const world = new DirectWorld({ limits: only('newOrdersPerAccount', { burst: 1, periodMs: HOUR_MS }) });
    await world.door.newOrder({ names: ['a.test'] });
    await world.account('another').newOrder({ names: ['b.test'] });
    expect((await refusalOf(world.door.newOrder({ names: ['c.test'] }))).status).toBe(429);
  });

  test('an order that fails after the spend is refunded', async () => {
    const world = new DirectWorld({ limits: only('newOrdersPerAccount', { burst: 1, periodMs: HOUR_MS }) });
    const names = Array.from({ length: 26 }, (_, index) => `n${index}.a.test`);
    expect((await refusalOf(world.door.newOrder({ names, profile: 'tlsserver' }))).type).toBe('malformed');
    expect((await world.door.newOrder({ names: ['a.test'] })).status).toBe('pending');
    expect(world.told('overdrawn')).toEqual([]);
  });

  test('a set issued in the last 120 days is exempt, from the next day on it is not', async () => {
    const world = new DirectWorld({ limits: only('newOrdersPerAccount', { burst: 1, periodMs: 1000 * DAY_MS }) });
    await world.issue('a.test');
    expect((await refusalOf(world.door.newOrder({ names: ['b.test'] }))).status).toBe(429);
    await world.clock.advance(119 * DAY_MS);
    await world.door.newOrder({ names: ['A.test'] });
    expect(world.told('ordered').map((event) => event.isRenewal)).toEqual([false, true]);
    await world.clock.advance(2 * DAY_MS);
    expect((await refusalOf(world.door.newOrder({ names: ['a.test'], profile: 'tlsserver' }))).status).toBe(429);
  });
});

describe('certificates', () => {
  test('per registered domain they are counted when issued, over all accounts, and a renewal is not', async () => {
    const world = new DirectWorld({ limits: only('certificatesPerDomain', { burst: 2, periodMs: 2 * DAY_MS }) });
    const other = world.account('another');
    await world.issue('a.vendor.test');
    await world.issue('b.vendor.test', other);
    await world.issue('a.vendor.test');
    const refusal = await refusalOf(other.newOrder({ names: ['c.vendor.test', 'x.elsewhere.test'] }));
    expect(refusal.detail).toMatch(
      /^too many certificates \(2\) already issued for "vendor\.test" in the last 48h0m0s/,
    );
    await world.issue('c.elsewhere.test');
    await world.clock.advance(DAY_MS);
    await world.issue('c.vendor.test');
    expect(world.told('overdrawn')).toEqual([]);
  });

  test('whoever opens more orders at once than a domain has left overdraws it, and that is told', async () => {
    const world = new DirectWorld({ limits: only('certificatesPerDomain', { burst: 1, periodMs: DAY_MS }) });
    const orders = [
      await world.door.newOrder({ names: ['a.v.test'] }),
      await world.door.newOrder({ names: ['b.v.test'] }),
    ];
    for (const order of orders) await world.finish(order);
    expect(world.told('overdrawn')).toEqual([{ kind: 'overdrawn', limit: 'certificatesPerDomain', key: 'v.test' }]);
  });

  test('which domain counts is for an option to say', async () => {
    const limits = only('certificatesPerDomain', { burst: 1, periodMs: DAY_MS });
    const world = new DirectWorld({ limits, registeredDomain: (name) => name });
    await world.issue('a.v.test');
    await world.issue('b.v.test');
    expect(world.told('limited')).toEqual([]);
  });

  test('five of the same set in a week are the most, although they are renewals', async () => {
    const world = new DirectWorld(AT_LETSENCRYPT);
    for (let count = 0; count < 5; count += 1) await world.issue('a.test');
    const refusal = await refusalOf(world.door.newOrder({ names: ['a.test'] }));
    expect(refusal.detail).toMatch(
      /^too many certificates \(5\) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-11-23 /,
    );
    await world.door.newOrder({ names: ['a.test', 'b.a.test'] });
    await world.clock.advance(34 * HOUR_MS);
    await world.issue('a.test');
  });

  test('of several limits reached, the one furthest away is named', async () => {
    const world = new DirectWorld({
      limits: {
        limits: {
          newOrdersPerAccount: { burst: 1, periodMs: HOUR_MS },
          certificatesPerDomain: { burst: 1, periodMs: DAY_MS },
        },
        ceilings: {},
      },
    });
    await world.issue('a.v.test');
    expect((await refusalOf(world.door.newOrder({ names: ['b.v.test'] }))).detail).toContain('"v.test"');
    expect((await refusalOf(world.door.newOrder({ names: ['b.w.test'] }))).detail).toContain('new orders');
  });
});

describe('failures', () => {
  test('five failed authorizations of a name stop its orders, not those of other names or accounts', async () => {
    const world = new DirectWorld(AT_LETSENCRYPT);
    for (let count = 0; count < 5; count += 1) await world.fail('a.test');
    expect(world.told('validation-failed')).toHaveLength(5);
    expect(world.told('validation-failed')[0]).toMatchObject({ name: 'a.test', problem: 'dns' });
    const refusal = await refusalOf(world.door.newOrder({ names: ['a.test'] }));
    expect(refusal.detail).toMatch(/^too many failed authorizations \(5\) for "a\.test" in the last 1h0m0s/);
    await world.door.newOrder({ names: ['b.a.test'] });
    await world.account('another').newOrder({ names: ['a.test'] });
    await world.clock.advance(13 * 60 * SECOND_MS);
    await world.door.newOrder({ names: ['a.test'] });
  });

  test('too many failures in a row pause the name for good, even for what no limit is asked', async () => {
    const world = new DirectWorld({ limits: only('consecutiveFailures', { burst: 3, periodMs: DAY_MS, count: 1 }) });
    const { certId } = await world.issue({ names: ['a.test'], profile: 'shortlived' });
    await world.clock.advance(80 * HOUR_MS);
    for (let count = 0; count < 4; count += 1) await world.fail('a.test');
    const refusal = await refusalOf(
      world.door.newOrder({ names: ['a.test'], replaces: certId, profile: 'shortlived' }),
    );
    expect(refusal).toMatchObject({ type: 'rateLimited', status: 429 });
    expect(refusal.detail).toMatch(/^Your account is temporarily prevented from requesting certificates for a\.test/);
    await world.clock.advance(30 * DAY_MS);
    expect((await refusalOf(world.door.newOrder({ names: ['a.test'] }))).status).toBe(429);
    expect(world.core.controls.unpause('1')).toBe(1);
    await world.door.newOrder({ names: ['a.test'] });
  });

  test('one success makes all failures before it forgotten', async () => {
    const world = new DirectWorld({ limits: only('consecutiveFailures', { burst: 3, periodMs: DAY_MS, count: 1 }) });
    for (let count = 0; count < 3; count += 1) await world.fail('a.test');
    await world.issue('a.test');
    for (let count = 0; count < 3; count += 1) await world.fail('a.test', world.door);
    expect(world.told('limited')).toEqual([]);
  });

  test('a failure comes back by one a day', async () => {
    const world = new DirectWorld({ limits: only('consecutiveFailures', { burst: 2, periodMs: DAY_MS, count: 1 }) });
    for (let day = 0; day < 6; day += 1) {
      await world.fail('a.test');
      await world.clock.advance(DAY_MS);
    }
    await world.door.newOrder({ names: ['a.test'] });
    expect(world.told('limited')).toEqual([]);
  });
});

describe('addresses', () => {
  test('ten new accounts from one address, and from an IPv6 /48 five hundred', () => {
    const world = new DirectWorld(AT_LETSENCRYPT);
    const open = (thumbprint: string, address: string): unknown => world.account(thumbprint, address);
    for (let count = 0; count < 10; count += 1) open(`v4-${count}`, '192.0.2.1');
    expect(() => open('v4', '::ffff:192.0.2.1')).toThrow(
      /new registrations \(10\) from this IP address in the last 3h0m0s/,
    );
    expect(() => open('v4-0', '192.0.2.1')).not.toThrow();
    for (let count = 0; count < 500; count += 1) open(`v6-${count}`, `2001:db8:7:${count.toString(16)}::1`);
    expect(() => open('v6', '2001:DB8:7::2')).toThrow(/\(500\) from this \/48 subnet of IPv6 addresses/);
    expect(() => open('v6', '2001:db8:8::2')).not.toThrow();
  });

  test('an address that asks too fast gets 503 and a second’s rest', async () => {
    const world = new DirectWorld(AT_LETSENCRYPT);
    const door = world.account('a', '192.0.2.1');
    const { id } = await door.newOrder({ names: ['a.test'] });
    for (let count = 0; count < 125; count += 1) await door.order(id);
    expect(await refusalOf(door.order(id))).toEqual({
      type: 'rateLimited',
      status: 503,
      detail: 'Service busy; retry later.',
    });
    expect(world.told('busy')).toEqual([
      { kind: 'busy', endpoint: 'acme', address: '192.0.2.1', retryAfterMs: expect.closeTo(4, 0) },
    ]);
    await world.account('b', '192.0.2.2').newOrder({ names: ['a.test'] });
    await world.clock.advance(SECOND_MS);
    await door.order(id);
  });
});

describe('figures', () => {
  test('the presets are Let’s Encrypt’s', () => {
    expect(LETSENCRYPT_STAGING.limits.newOrdersPerAccount).toEqual({ burst: 1500, periodMs: 3 * HOUR_MS });
    expect(LETSENCRYPT_STAGING.ceilings.acme).toEqual({ perSecond: 20, burst: 20 });
    expect(LETSENCRYPT_OVERRIDE.limits.newOrdersPerAccount?.burst).toBe(30_000);
    expect(LETSENCRYPT_OVERRIDE.limits.certificatesPerDomain?.burst).toBe(5000);
  });

  test('they change while it runs', async () => {
    const world = new DirectWorld({ limits: only('newOrdersPerAccount', { burst: 1, periodMs: HOUR_MS }) });
    await world.door.newOrder({ names: ['a.test'] });
    world.core.controls.setLimits({ limits: {} });
    await world.door.newOrder({ names: ['b.test'] });
    world.core.controls.setLimits(only('newOrdersPerAccount', { burst: 1, periodMs: HOUR_MS }));
    expect((await refusalOf(world.door.newOrder({ names: ['c.test'] }))).status).toBe(429);
  });

  test('a chart sees the emptiest buckets', async () => {
    const world = new DirectWorld(AT_LETSENCRYPT);
    for (let count = 0; count < 8; count += 1) await world.issue(`n${count}.v${count % 2}.test`);
    await world.issue('n0.v0.test');
    const levels = world.core.bucketLevels();
    expect(levels).toContainEqual({ limit: 'newOrdersPerAccount', key: '1', level: 292, burst: 300 });
    expect(levels.filter((one) => one.limit === 'certificatesPerDomain').map((one) => one.level)).toEqual([46, 46]);
    const sets = levels.filter((one) => one.limit === 'certificatesPerSet');
    expect(sets.map((one) => one.level)).toEqual([3, 4, 4, 4, 4]);
  });
});
