/** The vendor's end of the lines, and the boxes at the other: who is connected, and what both are told. */
import { afterEach, describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, openWorld, settledWorld } from './test-world.ts';
import type { TestWorld, TestWorldWish } from './test-world.ts';

const opened: TestWorld[] = [];
afterEach(async () => {
  for (const { world } of opened.splice(0)) await world.close();
});

async function town(wish: TestWorldWish = {}): Promise<TestWorld> {
  const settled = await settledWorld(wish);
  opened.push(settled);
  settled.told.splice(0);
  return settled;
}

function linesOf({ all }: TestWorld): readonly string[] {
  return [...all('connected'), ...all('disconnected')]
    .toSorted((one, other) => one.atMs - other.atMs)
    .map((fact) => `${fact.appliance} ${fact.kind}${fact.kind === 'disconnected' ? ` ${fact.why}` : ''}`);
}

describe('the first boot', () => {
  test('of a box: power, line, certificate, all told under its number and safe on its flash', async () => {
    const small = await openWorld({ appliances: 1 });
    opened.push(small);
    const [box] = small.world.boxes;
    expect([box!.isOn, box!.isConnected]).toEqual([false, false]);
    void box!.powerOn('first boot');
    void box!.powerOn('once is enough');
    await small.world.clock.advance(15 * MINUTE_MS);
    expect(small.all('powered')).toMatchObject([{ appliance: 0, isOn: true, why: 'first boot' }]);
    expect(small.all('installed')).toMatchObject([{ appliance: 0, isFirst: true }]);
    expect(small.all('installed')[0]!.waitedMs).toBeGreaterThan(1_000);
    expect(small.all('order-opened')).toHaveLength(1);
    expect(small.all('order-closed')).toHaveLength(1);
    expect(box!.certificate!.names).toEqual([small.world.nameOf({ number: 0 })]);
    expect(box!.flash.image().has('current')).toBe(true);
    expect(box!.wantsSinceMs).toBeUndefined();
    expect(small.world.vendor.connections).toBe(1);
  });

  test('behind a strict firewall needs port 443', async () => {
    const sites = { office: 0, cgnat: 0, doubleNat: 0, strictFirewall: 1 };
    for (const onPort443 of [false, true]) {
      const small = await openWorld({ appliances: 1, scenario: { population: { sites }, broker: { onPort443 } } });
      opened.push(small);
      void small.world.boxes[0]!.powerOn('first boot');
      await small.world.clock.advance(HOUR_MS);
      expect(small.world.boxes[0]!.isConnected).toBe(onPort443);
      expect(small.world.boxes[0]!.reachableSinceMs !== undefined).toBe(onPort443);
    }
  });
});

describe('power', () => {
  test('a cut tells nobody: the broker notices after three minutes', async () => {
    const small = await town();
    small.world.boxes[0]!.cutPower('storm');
    await small.world.clock.advance(180_000 - 1);
    expect([linesOf(small), small.world.vendor.connections]).toEqual([[], 2]);
    await small.world.clock.advance(1);
    expect([linesOf(small), small.world.vendor.connections]).toEqual([['0 disconnected storm'], 1]);
  });

  test('a box that is back before that keeps its place', async () => {
    const small = await town();
    const [box] = small.world.boxes;
    box!.cutPower('blink');
    await small.world.clock.advance(30_000);
    void box!.powerOn('after blink');
    await small.world.clock.advance(HOUR_MS);
    expect(small.world.vendor.connections).toBe(2);
    expect(box!.isConnected).toBe(true);
    // It has what it had, and asks for nothing.
    expect(small.all('installed')).toEqual([]);
    expect(small.all('order-opened')).toEqual([]);
  });

  test('a reboot says goodbye, and is over after some seconds', async () => {
    const small = await town();
    void small.world.boxes[0]!.reboot();
    await small.world.clock.advance(MINUTE_MS);
    expect(small.all('said').map(({ what }) => what)).toEqual(['bye', 'hello']);
    expect(linesOf(small)).toEqual(['0 disconnected line', '0 connected']);
  });

  test('after a factory reset the key is another, and the name the same', async () => {
    const small = await town({ appliances: 1 });
    const [box] = small.world.boxes;
    const former = box!.certificate!;
    void box!.factoryReset();
    await small.world.clock.advance(15 * MINUTE_MS);
    expect(box!.certificate!.names).toEqual(former.names);
    expect(box!.certificate!.fingerprint).not.toBe(former.fingerprint);
  });
});

describe('the broker', () => {
  test.each(['stop', 'kill'] as const)(
    'after a %s nobody is connected; after a start everybody is again',
    async (how) => {
      const small = await town();
      const { world } = small;
      await world.vendor[how]();
      expect([world.vendor.broker, world.vendor.connections, world.vendor.upSinceMs]).toEqual([
        undefined,
        0,
        undefined,
      ]);
      expect(linesOf(small).toSorted()).toEqual(['0 disconnected line', '1 disconnected line']);
      await world.clock.advance(HOUR_MS);
      expect(world.vendor.connections).toBe(0);
      await expect(world.vendor.enrol('pretend-9999999')).rejects.toMatchObject({ code: 'stopped' });
      void world.vendor.start();
      void world.vendor.start();
      await world.clock.advance(HOUR_MS);
      expect(world.vendor.connections).toBe(2);
      const past = how === 'stop' ? 'stopped' : 'killed';
      expect(small.all('broker').map(({ what }) => what)).toEqual([past, 'started']);
      expect(small.all('installed')).toEqual([]);
    },
  );

  test('whom it was never told of it refuses', async () => {
    const small = await town({ appliances: 1 });
    const [box] = small.world.boxes;
    const stranger = Object.assign(Object.create(box!), { deviceId: 'pretend-9999999', lan: box!.lan });
    expect(await small.world.vendor.admit(stranger)).toMatchObject({ code: 'broker-refused' });
  });

  test('of two with one identity the later has the line', async () => {
    const small = await town({ appliances: 4 });
    const [box] = small.world.boxes;
    const twin = small.world.clone(box!);
    void twin.powerOn('clone');
    await small.world.clock.advance(1_000);
    expect([twin.isConnected, box!.isConnected, small.world.vendor.connections]).toEqual([true, false, 4]);
    expect(twin.lan).not.toBe(box!.lan);
    expect(twin.flash.image()).toEqual(box!.flash.image());
  });
});

describe('the wire', () => {
  test('is seen by whoever taps it, both ways', async () => {
    const seen: string[] = [];
    const small = await openWorld({
      appliances: 1,
      tap: {
        up: ({ number }, kind) => seen.push(`${number} up ${kind}`),
        down: ({ number }, _, message) => seen.push(`${number} down ${message.kind}`),
      },
    });
    opened.push(small);
    void small.world.boxes[0]!.powerOn('first boot');
    await small.world.clock.advance(15 * MINUTE_MS);
    const told = small.told.flatMap((fact) =>
      fact.kind === 'said' || fact.kind === 'told'
        ? [`${fact.appliance} ${fact.kind === 'said' ? 'up' : 'down'} ${fact.what}`]
        : [],
    );
    expect(seen).toContain('0 up csr');
    expect(seen.toSorted()).toEqual(told.toSorted());
  });
});

test('a new address is published, and its delay told', async () => {
  const small = await town({ appliances: 1 });
  const [box] = small.world.boxes;
  const former = box!.address;
  box!.move();
  await small.world.clock.advance(10 * MINUTE_MS);
  expect(box!.address).not.toBe(former);
  const records = small.world.vendor.broker!.records(small.world.nameOf({ number: 0 })!, 1);
  expect(records.map((data) => data.join('.'))).toEqual([box!.address]);
  const [{ waitedMs } = { waitedMs: 0 }] = small.all('published');
  expect(waitedMs).toBeGreaterThan(0);
  expect(waitedMs).toBeLessThan(MINUTE_MS);
});

test('a certificate that ends on a box that could not renew is told once, with the excuse', async () => {
  const small = await town({ appliances: 1 });
  small.world.boxes[0]!.cutPower('shelf');
  await small.world.clock.advance(100 * DAY_MS);
  expect(small.all('expired')).toMatchObject([{ appliance: 0, excuse: 'switched off' }]);
});
