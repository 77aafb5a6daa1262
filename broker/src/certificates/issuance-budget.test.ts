/** Orders under the limits of a CA: who goes when, and what a refusal does. */
import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Order } from './order.ts';
import {
  INTERVAL_MS,
  THREE,
  begin,
  counting,
  nameOf,
  namesOrdered,
  newOrderTimes,
  requestOf,
  worldWith,
} from './test-budget.ts';
import { DEVICE, requestFor } from './test-life.ts';
import type { Life, Witness, World } from './test-life.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

async function openOrderOf({ desk }: Life, n: number): Promise<Order> {
  const { openOrder } = await desk.dossier(`appliance-${n}`);
  return openOrder ?? expect.fail(`appliance-${n} has no open order`);
}

async function outlookOf(life: Life, n: number): Promise<unknown> {
  return life.desk.outlook(await openOrderOf(life, n));
}

/** Throws for what `isChosen`, the first `times` times. */
function refusing(isChosen: (name: string) => boolean, error: Error, times = Infinity): Witness {
  let left = times;
  return async (name, act) => {
    if (!isChosen(name) || left <= 0) return await act();
    left -= 1;
    throw error;
  };
}

describe('a bucket of three', () => {
  test('lets three go, then one in each interval, the first that came first', async () => {
    const world = worldWith({ 'new-orders': THREE });
    const life = await begin(world, { orders: 10 });
    await world.clock.advance(0);
    const [third, ...others] = [2, 3, 4, 5, 6, 7, 8, 9];
    expect(await outlookOf(life, third ?? 0)).toMatchObject({ kind: 'budget', ahead: 0 });
    for (const [n, other] of others.entries()) {
      expect(await outlookOf(life, other)).toMatchObject({ ahead: n + 1, short: { bucket: { limit: 'new-orders' } } });
    }
    await world.clock.advance(2 * HOUR_MS);
    // Each may arrive two minutes after it was sent, and is counted as if it had: so long the third waits, too.
    const late = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => n * INTERVAL_MS + 2 * MINUTE_MS);
    expect(newOrderTimes(world)).toEqual([0, 0, ...late]);
    expect(namesOrdered(world)).toEqual(Array.from({ length: 10 }, (_, n) => nameOf(n)));
    expect(life.issued).toHaveLength(10);
    expect(life.failed).toEqual([]);
  });

  test('is not asked of the store more than once in an interval', async () => {
    const world = worldWith({ 'new-orders': THREE });
    let places = 0;
    const witness: Witness = async (name, act) => {
      if (name === 'store.place') places += 1;
      return await act();
    };
    await begin(world, { orders: 200, witness });
    await world.clock.advance(DAY_MS);
    // Each time those that go together: four acts at once.
    expect(places).toBeLessThan(4 * (3 + 144) + 10);
  });

  test('is as empty after a restart as before', async () => {
    const world = worldWith({ 'new-orders': THREE });
    const first = await begin(world, { orders: 10 });
    await world.clock.advance(3 * MINUTE_MS);
    await first.issuance.stop();
    const second = world.live();
    await second.issuance.start();
    await world.clock.advance(8 * MINUTE_MS);
    expect(newOrderTimes(world)).toHaveLength(3);
    await world.clock.advance(2 * HOUR_MS);
    expect(first.issued.length + second.issued.length).toBe(10);
  });
});

function refusal(details: Readonly<Record<string, unknown>>, retryAfterMs: number): LanyardError {
  return new LanyardError('authority-rate-limited', { details, retryAfterMs });
}

function isNewOrder(name: string): boolean {
  return name === 'authority.newOrder';
}

function isReading(name: string): boolean {
  return name === 'authority.authorization';
}

describe('a CA that refuses by a limit (429)', () => {
  test('that it names is asked by nobody of the domain before it said, and by others at once', async () => {
    const world = worldWith({ 'registered-domain': { burst: 50, periodMs: 7 * DAY_MS } });
    const named = refusal({ status: 429, limit: 'registered-domain' }, 5 * HOUR_MS);
    const life = await begin(world, { orders: 3, witness: refusing(isNewOrder, named, 1), concurrency: 1 });
    await world.clock.advance(0);
    await life.issuance.request(requestFor(['a.devices.example.org'], 'key-9', 'appliance-9'));
    await world.clock.advance(5 * HOUR_MS - 1);
    expect(namesOrdered(world)).toEqual(['a.devices.example.org']);
    expect(await outlookOf(life, 0)).toMatchObject({
      kind: 'budget',
      short: { bucket: { limit: 'registered-domain', subject: 'example.com' } },
    });
    // Then it has one, and the next when one came back.
    await world.clock.advance(1);
    expect(namesOrdered(world)).toEqual(['a.devices.example.org', nameOf(0)]);
    await world.clock.advance(7 * DAY_MS);
    expect(life.issued).toHaveLength(4);
  });

  test.each([{ status: 429 }, { status: 429, limit: 'what-is-this' }])(
    'that it does not name (%j) pauses the account',
    async (details) => {
      const world = worldWith({});
      const witness = refusing(isNewOrder, refusal(details, 5 * HOUR_MS), 1);
      const life = await begin(world, { orders: 3, witness, concurrency: 1 });
      await world.clock.advance(0);
      await life.issuance.request(requestFor(['a.devices.example.org'], 'key-9', 'appliance-9'));
      await world.clock.advance(5 * HOUR_MS - 1);
      expect(namesOrdered(world)).toEqual([]);
      expect(await outlookOf(life, 2)).toMatchObject({ kind: 'budget', short: { bucket: { limit: 'pause' } } });
      await world.clock.advance(MINUTE_MS);
      expect(life.issued).toHaveLength(4);
    },
  );

  test('goes on being believed after a restart', async () => {
    const world = worldWith({});
    const witness = refusing(isNewOrder, refusal({ status: 429 }, 5 * HOUR_MS), 1);
    const first = await begin(world, { orders: 3, witness });
    await world.clock.advance(MINUTE_MS);
    await first.issuance.stop();
    const before = newOrderTimes(world).length;
    const second = world.live();
    await second.issuance.start();
    await second.issuance.request(requestOf(3));
    await world.clock.advance(4 * HOUR_MS);
    expect(newOrderTimes(world)).toHaveLength(before);
    await world.clock.advance(HOUR_MS);
    expect(first.issued.length + second.issued.length).toBe(4);
  });

  test('is left alone by everybody, whatever the order, when it is only asked too fast (503)', async () => {
    const world = worldWith({});
    const { witness, asked } = counting(refusing(isReading, refusal({ status: 503 }, MINUTE_MS), 1));
    const life = await begin(world, { orders: 8, witness, concurrency: 1 });
    await world.clock.advance(0);
    const before = asked();
    expect(await outlookOf(life, 7)).toMatchObject({ kind: 'authority', untilMs: world.clock.nowMs() + MINUTE_MS });
    await world.clock.advance(MINUTE_MS - 1);
    expect(asked()).toBe(before);
    await world.clock.advance(MINUTE_MS);
    expect(life.issued).toHaveLength(8);
    expect(newOrderTimes(world)).toHaveLength(8);
  });
});

describe('under a short budget', () => {
  test('what is about to expire goes before what has never had a certificate', async () => {
    const world = worldWith({ 'new-orders': { burst: 1, periodMs: HOUR_MS } }, 'counted');
    const life = await begin(world, { orders: 2 });
    await world.clock.advance(89 * DAY_MS);
    expect(life.issued).toHaveLength(2);
    for (const n of [2, 3, 4]) await life.issuance.request(requestOf(n));
    await world.clock.advance(0);
    for (const n of [0, 1]) await life.issuance.request(requestOf(n, `new key of ${n}`));
    await world.clock.advance(DAY_MS);
    const ordered = namesOrdered(world).slice(2);
    expect(ordered).toEqual([2, 0, 1, 3, 4].map(nameOf));
    expect(life.issued).toHaveLength(7);
  });

  test('a name that fails blocks no other', async () => {
    const world = worldWith({ 'failed-authorizations': { burst: 1, periodMs: HOUR_MS } });
    const life = await begin(world, { orders: 6, witness: blindFor(world, nameOf(0)), concurrency: 1 });
    await world.clock.advance(2 * MINUTE_MS);
    expect(life.issued.flatMap(({ names }) => names)).toEqual([1, 2, 3, 4, 5].map(nameOf));
    expect(await outlookOf(life, 0)).toMatchObject({
      kind: 'budget',
      short: { bucket: { limit: 'failed-authorizations', subject: nameOf(0) } },
    });
    await life.issuance.request(requestOf(6));
    await world.clock.advance(MINUTE_MS);
    expect(life.issued).toHaveLength(6);
  });

  test('no name fails more often than it may', async () => {
    const world = worldWith({ 'failed-authorizations': { burst: 2, periodMs: 4 * HOUR_MS } });
    const life = await begin(world, { orders: 1, witness: blindFor(world, nameOf(0)) });
    await world.clock.advance(DAY_MS);
    // By the pauses alone it would be after 0, 1, 11 and 111 minutes.
    expect(newOrderTimes(world).map((atMs) => Math.round(atMs / MINUTE_MS))).toEqual([0, 1, 120, 240]);
    expect(life.failed).toHaveLength(4);
  });
});

/** The validators never see the record of this name. */
function blindFor(world: World, name: string): Witness {
  return async (what, act) => {
    if (what !== 'authority.trigger') return await act();
    const value = world.board.valuesAt(`_acme-challenge.${name}`)[0];
    if (value === undefined) return await act();
    await world.board.clear({ kind: 'txt', name: `_acme-challenge.${name}`, value });
    return await act();
  };
}

/** One that has been renewed once, in a second life. */
async function renewed(before: (world: World) => void = () => {}): Promise<{ world: World; life: Life }> {
  const world = worldWith({ 'new-orders': { burst: 1, periodMs: DAY_MS } });
  const first = world.live();
  await first.issuance.start();
  await first.issuance.request(requestFor());
  await world.clock.advance(61 * DAY_MS);
  await first.issuance.stop();
  before(world);
  const life = world.live();
  await life.issuance.start();
  await life.issuance.request(requestFor(undefined, 'key-2'));
  await world.clock.advance(MINUTE_MS);
  expect(life.issued).toHaveLength(1);
  expect(await world.store.orders.dossier(DEVICE)).not.toHaveProperty('openOrder');
  return { world, life };
}

describe('a renewal', () => {
  test('says what it replaces, and spends nothing', async () => {
    const { world, life } = await renewed();
    expect(world.authority.newOrders.map(({ replaces }) => replaces)).toEqual([undefined, 'ari.1']);
    await life.issuance.request(requestOf(9));
    await world.clock.advance(MINUTE_MS);
    expect(life.issued).toHaveLength(2);
  });

  test('that is refused as a replacement is the same order without that, at once, and nobody is told', async () => {
    const { world, life } = await renewed(({ authority }) => (authority.refuseReplacement = true));
    const [, refused, plain, ...more] = world.authority.newOrders;
    expect([refused?.replaces, plain?.replaces, plain?.atMs]).toEqual(['ari.1', undefined, refused?.atMs]);
    expect(more).toEqual([]);
    expect(life.failed).toEqual([]);
  });

  test('of another account’s certificate is a stranger’s there, and says nothing', async () => {
    const { world } = await renewed((each) => {
      each.terms = { ...each.terms, id: 'another ca' };
    });
    expect(world.authority.newOrders.map(({ replaces }) => replaces)).toEqual([undefined, undefined]);
  });

  test('whose answer was lost says the same again', async () => {
    const world = worldWith({});
    await begin(world, { orders: 1 });
    await world.clock.advance(61 * DAY_MS);
    let isLost = false;
    const life = world.live(async (name, act) => {
      const answer = await act();
      if (name !== 'authority.newOrder' || isLost) return answer;
      isLost = true;
      throw new LanyardError('authority-unreachable');
    });
    await life.issuance.start();
    await life.issuance.request(requestOf(0, 'key-2'));
    await world.clock.advance(MINUTE_MS);
    expect(world.authority.newOrders.slice(1).map(({ replaces }) => replaces)).toEqual(['ari.1', 'ari.1']);
    expect(life.issued).toHaveLength(1);
  });
});

/** Five orders wait for their finalize, a sixth for a place. */
async function crowded() {
  const world = worldWith({ 'registered-domain': { burst: 5, periodMs: 5 * HOUR_MS } });
  const held: { readonly end: (error?: Error) => void }[] = [];
  let isHolding = true;
  const life = await begin(world, {
    orders: 6,
    concurrency: 8,
    witness: async (name, act) => {
      if (name === 'authority.finalize' && isHolding) {
        await new Promise<void>((resolve, reject) => {
          held.push({ end: (error) => (error ? reject(error) : resolve()) });
        });
      }
      return await act();
    },
  });
  await world.clock.advance(30 * MINUTE_MS);
  expect(held).toHaveLength(5);
  expect(namesOrdered(world)).toHaveLength(5);
  expect(await outlookOf(life, 5)).toMatchObject({
    kind: 'budget',
    short: { bucket: { limit: 'registered-domain', subject: 'example.com' } },
  });
  isHolding = false;
  const [first = expect.fail(), ...others] = held;
  return { world, life, first, others };
}

describe('places of a registered domain', () => {
  test('are held until they are booked: the sixth waits until there is another', async () => {
    const { world, life, first, others } = await crowded();
    first.end();
    await world.clock.advance(MINUTE_MS);
    expect(life.issued).toHaveLength(1);
    await world.clock.advance(58 * MINUTE_MS);
    expect(namesOrdered(world)).toHaveLength(5);
    await world.clock.advance(2 * MINUTE_MS);
    expect(namesOrdered(world)).toHaveLength(6);
    for (const { end } of others) end();
    await world.clock.advance(DAY_MS);
    expect(life.issued).toHaveLength(6);
  });

  test('are given back by an order that the CA refuses', async () => {
    const { world, life, first } = await crowded();
    first.end(new LanyardError('authority-refused'));
    await world.clock.advance(2 * MINUTE_MS);
    expect(life.issued.flatMap(({ names }) => names)).toEqual([nameOf(5)]);
  });

  test('are not given back by an order whose end is not known', async () => {
    const { world, life, first } = await crowded();
    first.end(new LanyardError('authority-order-lost'));
    await world.clock.advance(30 * MINUTE_MS);
    expect(life.issued).toEqual([]);
    expect(namesOrdered(world)).toHaveLength(5);
  });
});
