/** Whatever instant the process dies at, the next one finishes the same order. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEVICE, KEY_HASH, NAME, World, requestFor } from './test-life.ts';
import type { Life } from './test-life.ts';
import { Mortal } from './test-mortal.ts';
import type { Crash, Side } from './test-mortal.ts';

const HOUR_MS = 3_600_000;

/** One life: start, the appliance's request, and as much time as an order can need. */
async function spend(world: World, names: readonly string[], crash?: Crash): Promise<{ mortal: Mortal; life: Life }> {
  const mortal = new Mortal(crash);
  const life = world.live(mortal.witness);
  void life.issuance.start().then(() => life.issuance.request(requestFor(names)));
  await world.clock.advance(HOUR_MS);
  return { mortal, life };
}

async function expectFulfilled(world: World, names: readonly string[], lives: readonly Life[]): Promise<void> {
  const { authority, board, store } = world;
  expect(authority.issuedCount).toBe(1);
  expect(authority.orderCount).toBe(1);
  for (const order of authority.newOrders) expect(order.names).toEqual(names);
  expect(board.records).toEqual([]);
  expect(await store.orders.openOrders()).toEqual([]);
  const told = lives.flatMap(({ issued }) => issued);
  expect(told.length).toBeLessThanOrEqual(1);
  const { desk } = world.live();
  const advice = await desk.advise({ deviceId: DEVICE, names, held: undefined, pendingKeyHash: KEY_HASH });
  expect(advice.todo.kind).toBe('install');
  expect(advice.certificate).toMatchObject({ deviceId: DEVICE, names, keyHash: KEY_HASH, serial: '1' });
  for (const certificate of told) expect(certificate).toEqual(advice.certificate);
  const repeated = await store.orders.accept({ ...requestFor(names), orderId: 'other', requestedAtMs: 0 });
  expect(repeated.kind).toBe('issued');
  store.close();
}

const CASES = [
  { what: 'one name', names: [NAME] },
  { what: 'a name and its wildcard', names: [NAME, `*.${NAME}`] },
] as const;

describe.each(CASES)('an order for $what', ({ names }) => {
  test('without a crash needs one order at the CA and tells of its certificate once', async () => {
    const world = new World();
    const { life, mortal } = await spend(world, names);
    expect(life.issued).toHaveLength(1);
    expect(mortal.acts.filter((name) => name === 'authority.newOrder')).toHaveLength(1);
    await expectFulfilled(world, names, [life]);
  });

  test('is finished by the next process, whichever act the first one dies before or after', async () => {
    const rehearsal = new World();
    const { acts } = (await spend(rehearsal, names)).mortal;
    rehearsal.store.close();
    const crashes = acts.flatMap((_, index) =>
      (['before', 'after'] as const).map((side): Crash => ({ act: index + 1, side })),
    );
    expect(crashes.length).toBeGreaterThan(2 * 20);
    for (const crash of crashes) {
      const world = new World();
      const first = await spend(world, names, crash);
      expect(first.mortal.hasDied).toBe(true);
      const second = await spend(world, names);
      expect(world.authority.newOrders.length, `newOrders after ${JSON.stringify(crash)}`).toBeLessThanOrEqual(2);
      await expectFulfilled(world, names, [first.life, second.life]);
    }
  });

  test('is finished by the process that lives, however many die before it', async () => {
    const crash = fc.record({ act: fc.integer({ min: 1, max: 45 }), side: fc.constantFrom<Side>('before', 'after') });
    const check = fc.asyncProperty(fc.array(crash, { maxLength: 8 }), async (crashes) => {
      const world = new World();
      const lives: Life[] = [];
      for (const each of crashes) lives.push((await spend(world, names, each)).life);
      lives.push((await spend(world, names)).life);
      expect(world.authority.newOrders.length).toBeLessThanOrEqual(1 + crashes.length);
      await expectFulfilled(world, names, lives);
    });
    await fc.assert(check, { numRuns: 100 });
  });
});

test('an accepted request is fulfilled although the appliance never repeats it', async () => {
  const world = new World();
  const mortal = new Mortal({ act: 4, side: 'before' });
  const first = world.live(mortal.witness);
  await first.issuance.start();
  const acceptance = await first.issuance.request(requestFor());
  expect(acceptance.kind).toBe('accepted');
  await world.clock.advance(HOUR_MS);
  expect(mortal.hasDied).toBe(true);
  const second = world.live();
  await second.issuance.start();
  await world.clock.advance(HOUR_MS);
  expect(second.issued).toHaveLength(1);
  await expectFulfilled(world, [NAME], [first, second]);
});

test('a challenge record whose order is gone is taken down at the start, and those of open orders stay', async () => {
  const world = new World();
  const first = world.live(new Mortal({ act: 11, side: 'after' }).witness);
  await first.issuance.start();
  void first.issuance.request(requestFor());
  await world.clock.advance(HOUR_MS);
  const [own] = world.board.records;
  expect(own).toBeDefined();
  await world.board.put({ kind: 'txt', name: '_acme-challenge.gone.devices.example.com', value: 'stray' });
  await world.board.put({ kind: 'txt', name: own?.name ?? '', value: 'stray beside it' });
  const cleared: string[] = [];
  const second = world.live(async (name, act) => {
    if (name === 'board.clear') cleared.push(name);
    return await act();
  });
  await second.issuance.start();
  expect(world.board.records).toEqual([own]);
  expect(cleared).toHaveLength(2);
  await world.clock.advance(HOUR_MS);
  await expectFulfilled(world, [NAME], [first, second]);
});
