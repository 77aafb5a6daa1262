/** Whatever happens to broker and CA, no more is sent than the CA allows, and all are issued. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { THREE, begin, counting, expectWithin, requestOf, worldWith } from './test-budget.ts';
import type { Witness, World } from './test-life.ts';
import { Mortal } from './test-mortal.ts';
import type { Side } from './test-mortal.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function away(world: World): Witness {
  return async (name, act) => {
    const isAway = name.startsWith('authority.') && world.clock.monotonicMs() < DAY_MS;
    if (isAway) throw new LanyardError('authority-unreachable');
    return await act();
  };
}

describe('a CA that cannot be reached for a day', () => {
  test('is asked less and less often by all together, and then issues to everybody', async () => {
    const world = worldWith({});
    const { witness, asked } = counting(away(world));
    const life = await begin(world, { orders: 500, witness, concurrency: 16 });
    await world.clock.advance(DAY_MS - SECOND_MS);
    expect(asked()).toBeLessThan(200);
    expect(asked()).toBeGreaterThan(40);
    await world.clock.advance(DAY_MS);
    expect(life.issued).toHaveLength(500);
  });

  test('is sent no more when it is back than its limit allows: what was paid for before does not count', async () => {
    const world = worldWith({ 'new-orders': THREE });
    const life = await begin(world, { orders: 40, witness: away(world), concurrency: 16 });
    await world.clock.advance(3 * DAY_MS);
    expect(life.issued).toHaveLength(40);
    expectWithin(world, THREE);
  });
});

/** One life, with the requests of four appliances repeated, and two hours. */
async function live(world: World, mortal: Mortal): Promise<void> {
  const { issuance } = world.live(mortal.witness);
  void issuance.start().then(() => Promise.all([0, 1, 2, 3].map((n) => issuance.request(requestOf(n)))));
  await world.clock.advance(2 * HOUR_MS);
}

async function expectFulfilled(world: World): Promise<void> {
  expectWithin(world, THREE);
  expect(await world.store.orders.openOrders()).toEqual([]);
  expect(world.board.records).toEqual([]);
  expect(world.authority.issuedCount).toBe(4);
}

describe('a crash', () => {
  test('at whichever act never makes the CA count more than it allows, and all are issued', async () => {
    const rehearsal = worldWith({ 'new-orders': THREE });
    const whole = new Mortal();
    await live(rehearsal, whole);
    await expectFulfilled(rehearsal);
    for (let act = 1; act <= whole.acts.length; act++) {
      for (const side of ['before', 'after'] as const) {
        const world = worldWith({ 'new-orders': THREE });
        const mortal = new Mortal({ act, side });
        await live(world, mortal);
        expect(mortal.hasDied).toBe(true);
        await live(world, new Mortal());
        await expectFulfilled(world);
        world.store.close();
      }
    }
  });

  test('after crash at once never makes the CA count more than it allows', async () => {
    const crash = fc.record({ act: fc.integer({ min: 1, max: 90 }), side: fc.constantFrom<Side>('before', 'after') });
    const check = fc.asyncProperty(fc.array(crash, { minLength: 1, maxLength: 12 }), async (crashes) => {
      const world = worldWith({ 'new-orders': THREE });
      for (const each of crashes) {
        const mortal = new Mortal(each);
        const { issuance } = world.live(mortal.witness);
        void issuance.start().then(() => Promise.all([0, 1, 2, 3].map((n) => issuance.request(requestOf(n)))));
        // The service manager starts it again at once, or after a while.
        await world.clock.advance(each.act % 2 === 0 ? SECOND_MS : 7 * MINUTE_MS);
        mortal.die();
      }
      await live(world, new Mortal());
      await expectFulfilled(world);
      world.store.close();
    });
    await expect(fc.assert(check, { numRuns: 60 })).resolves.toBeUndefined();
  });
});
