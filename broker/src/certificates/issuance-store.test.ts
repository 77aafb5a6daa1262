/** What the issuer does when the store does not. */
import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { begin, expectIssued, failing } from './test-issuing.ts';
import { World } from './test-life.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function isWrite(name: string): boolean {
  return name === 'store.place' || name === 'store.save' || name === 'store.complete';
}

describe('the store', () => {
  test('that refuses for a while delays the order and loses nothing', async () => {
    const world = new World();
    const life = await begin(world, failing(isWrite, new LanyardError('store-failed'), { times: 6 }));
    await world.clock.advance(3 * MINUTE_MS);
    expect(life.issued).toEqual([]);
    expect(world.authority.newOrders).toEqual([]);
    await world.clock.advance(10 * MINUTE_MS);
    await expectIssued(world, life);
    expect(world.authority.orderCount).toBe(1);
  });

  test('that takes every save but says it did not gives one certificate, told once', async () => {
    const world = new World();
    const seen = new Set<string>();
    let written = 0;
    const isFirstTry = (name: string): boolean => {
      if (!isWrite(name)) return false;
      const isNew = written % 2 === 0;
      written += 1;
      seen.add(name);
      return isNew;
    };
    const life = await begin(
      world,
      failing(isFirstTry, new LanyardError('store-failed'), { times: 1_000, isDone: true }),
    );
    await world.clock.advance(HOUR_MS);
    expect(seen).toEqual(new Set(['store.place', 'store.save', 'store.complete']));
    await expectIssued(world, life);
    expect(world.authority.issuedCount).toBe(1);
  });
});

test('a disk that is full for hours does not make the CA pay for it', async () => {
  const world = new World();
  let isFull = true;
  const life = await begin(world, async (name, act) => {
    if (isFull && name === 'store.save' && world.authority.newOrders.length > 0) throw new LanyardError('store-failed');
    return await act();
  });
  await world.clock.advance(3 * HOUR_MS);
  expect(world.authority.newOrders.length).toBeGreaterThan(2);
  expect(world.authority.newOrders.length).toBeLessThan(20);
  isFull = false;
  await world.clock.advance(HOUR_MS);
  await expectIssued(world, life);
});

test('a start that cannot read the store fails and can be repeated', async () => {
  const world = new World();
  const { issuance } = world.live(failing((name) => name === 'store.openOrders', new LanyardError('store-failed')));
  await expect(issuance.start()).rejects.toMatchObject({ code: 'store-failed' });
  await expect(issuance.start()).resolves.toBeUndefined();
});
