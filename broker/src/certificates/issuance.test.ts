import { describe, expect, test } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { IssuedChain } from './issued-chain.ts';
import { begin, expectIssued, failing } from './test-issuing.ts';
import { DEVICE, KEY_HASH, NAME, World, never, requestFor } from './test-life.ts';
import type { Life, Witness } from './test-life.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What the validators see is not what was put up. */
const blind: Witness = async (name, act) => (name === 'board.put' ? undefined : await act());

function pausesBetweenNewOrders({ authority: { newOrders } }: World): readonly number[] {
  return newOrders.slice(1).map(({ atMs }, index) => atMs - (newOrders[index]?.atMs ?? 0));
}

describe('an act that fails once', () => {
  const FAILURES = {
    'the CA is away': new LanyardError('authority-unreachable'),
    'the CA asks to wait': new LanyardError('authority-rate-limited', { retryAfterMs: 30 * MINUTE_MS }),
    'the CA lost the order': new LanyardError('authority-order-lost'),
    'the CA refuses': new LanyardError('authority-refused'),
    'the DNS does not serve': new LanyardError('dns-serving-failed'),
    'the store refuses': new LanyardError('store-failed'),
    'a defect shows': new TypeError('undefined is not a function'),
  } as const;

  for (const [what, error] of Object.entries(FAILURES)) {
    for (const isDone of [false, true]) {
      test(`is got over, whichever it is, when ${what}${isDone ? ' after it was done' : ''}`, async () => {
        const rehearsal = new World();
        const acts: string[] = [];
        await begin(rehearsal, async (name, act) => {
          acts.push(name);
          return await act();
        });
        await rehearsal.clock.advance(HOUR_MS);
        // The start and the acceptance are answered to their caller.
        const first = acts.indexOf('store.accept') + 2;
        expect(acts.length).toBeGreaterThan(first + 15);
        for (let chosen = first; chosen <= acts.length; chosen++) {
          const world = new World();
          const life = await begin(
            world,
            failing((_name, act) => act === chosen, error, { isDone }),
          );
          await world.clock.advance(3 * DAY_MS);
          await expectIssued(world, life);
          for (const pauseMs of pausesBetweenNewOrders(world)) expect(pauseMs).toBeGreaterThanOrEqual(2.5 * SECOND_MS);
          expect(world.authority.newOrders.length).toBeLessThanOrEqual(2);
          world.store.close();
        }
      });
    }
  }
});

describe('the pauses', () => {
  test('an order that the CA does not answer is asked for again after 5 s, doubling up to 30 min, never in a loop', async () => {
    const world = new World();
    const tries: number[] = [];
    const life = await begin(world, async (name, act) => {
      if (name !== 'authority.newOrder' || world.clock.monotonicMs() > DAY_MS) return await act();
      tries.push(world.clock.nowMs());
      throw new LanyardError('authority-unreachable');
    });
    await world.clock.advance(DAY_MS);
    const pauses = tries.slice(1).map((atMs, index) => atMs - (tries[index] ?? 0));
    for (const [index, pauseMs] of pauses.entries()) {
      const boundMs = Math.min(5 * SECOND_MS * 2 ** index, 30 * MINUTE_MS);
      expect(pauseMs).toBeGreaterThanOrEqual(boundMs / 2);
      expect(pauseMs).toBeLessThanOrEqual(boundMs);
    }
    expect(tries.length).toBeLessThan(110);
    await world.clock.advance(HOUR_MS);
    await expectIssued(world, life);
  });

  test('a CA that asks to wait is left alone for as long', async () => {
    const world = new World();
    const life = await begin(
      world,
      failing(
        (name) => name === 'authority.newOrder',
        new LanyardError('authority-rate-limited', { retryAfterMs: 5 * HOUR_MS }),
        { isDone: true },
      ),
    );
    await world.clock.advance(0);
    const { openOrder } = await life.desk.dossier(DEVICE);
    expect(openOrder).toMatchObject({ state: { kind: 'waiting' }, lastFailure: { code: 'authority-rate-limited' } });
    expect(openOrder && life.desk.outlook(openOrder)).toMatchObject({
      kind: 'budget',
      untilMs: world.clock.nowMs() + 5 * HOUR_MS,
      short: { bucket: { limit: 'pause' } },
    });
    await world.clock.advance(DAY_MS);
    expect(pausesBetweenNewOrders(world)).toEqual([5 * HOUR_MS]);
    await expectIssued(world, life);
  });

  test('an order that fails its validation is followed by others after 1, 10 and 100 minutes, then daily', async () => {
    const world = new World();
    const life = await begin(world, blind);
    await world.clock.advance(3 * DAY_MS);
    expect(world.board.records).toEqual([]);
    const minutes = pausesBetweenNewOrders(world).map((pauseMs) => Math.round(pauseMs / MINUTE_MS));
    expect(minutes).toEqual([1, 10, 100, 1440, 1440]);
    expect(world.authority.orderCount).toBe(6);
    const last = life.failed.at(-1)?.lastFailure;
    expect(last?.code).toBe('authority-validation-failed');
    expect(last?.message).toContain(`no TXT record at _acme-challenge.${NAME}`);
  });

  test('a CA that refuses for good is asked again daily', async () => {
    const world = new World();
    await begin(
      world,
      failing((name) => name === 'authority.newOrder', new LanyardError('authority-rejected-name'), {
        times: 3,
        isDone: true,
      }),
    );
    await world.clock.advance(4 * DAY_MS);
    expect(pausesBetweenNewOrders(world)).toEqual([DAY_MS, DAY_MS, DAY_MS]);
  });

  test('orders that the CA loses are not asked for again at once', async () => {
    const world = new World();
    const life = await begin(world, async (name, act) => {
      if (name === 'authority.finalize' && world.authority.newOrders.length < 3) world.authority.loseOrders();
      return await act();
    });
    await world.clock.advance(DAY_MS);
    expect(pausesBetweenNewOrders(world).map((pauseMs) => Math.floor(pauseMs / MINUTE_MS))).toEqual([1, 10]);
    await expectIssued(world, life);
  });

  test('an order that the CA never decides is given up after hours, and said to be late', async () => {
    const world = new World();
    const life = await begin(world, async (name, act) => {
      const answer = await act();
      const isStuck = name === 'authority.order' && world.clock.monotonicMs() < 8 * HOUR_MS;
      return isStuck ? { ...Object(answer), status: 'processing' } : answer;
    });
    await world.clock.advance(8 * HOUR_MS);
    expect(life.failed.at(-1)?.lastFailure).toMatchObject({
      code: 'authority-protocol',
      message: 'the CA did not decide in time',
    });
    await world.clock.advance(DAY_MS);
    await expectIssued(world, life);
  });

  test('a record that cannot be taken down is tried again until it is, and no new order begins before', async () => {
    const world = new World();
    const life = await begin(
      world,
      failing((name) => name === 'board.clear', new LanyardError('dns-serving-failed'), { times: 300 }),
    );
    await world.clock.advance(2 * DAY_MS);
    expect(world.board.records).toHaveLength(1);
    await world.clock.advance(10 * DAY_MS);
    await expectIssued(world, life);
    expect(world.authority.newOrders).toHaveLength(1);
  });
});

describe('a certificate that does not fit', () => {
  const FORGERIES: Readonly<Record<string, (chain: IssuedChain) => IssuedChain>> = {
    'for another key': (chain) => ({ ...chain, keyHash: 'key-of-another' }),
    'for another name': (chain) => ({ ...chain, names: ['b.devices.example.com'] }),
    'for one name more': (chain) => ({ ...chain, names: [...chain.names, 'b.devices.example.com'] }),
    'for no name': (chain) => ({ ...chain, names: [] }),
    'that has expired': (chain) => ({ ...chain, notAfterMs: chain.notBeforeMs }),
  };

  for (const [what, forge] of Object.entries(FORGERIES)) {
    test(`${what} is not stored, and another order is made after a pause`, async () => {
      const world = new World();
      world.authority.forge = forge;
      const life = await begin(world);
      await world.clock.advance(30 * SECOND_MS);
      expect((await world.store.orders.dossier(DEVICE)).latestCertificate).toBeUndefined();
      expect(life.issued).toEqual([]);
      expect(life.failed.at(-1)?.lastFailure?.code).toBe('authority-protocol');
      expect(world.board.records).toEqual([]);
      world.authority.forge = (chain) => chain;
      await world.clock.advance(MINUTE_MS);
      await expectIssued(world, life);
      expect(world.authority.orderCount).toBe(2);
    });
  }

  test('and is no certificate at all is not stored either', async () => {
    const world = new World();
    const life = await begin(world, async (name, act) => (name === 'authority.certificate' ? 'hello' : await act()));
    await world.clock.advance(HOUR_MS);
    expect(life.issued).toEqual([]);
    expect(life.failed.every(({ lastFailure }) => lastFailure?.code === 'authority-protocol')).toBe(true);
    expect((await world.store.orders.dossier(DEVICE)).latestCertificate).toBeUndefined();
  });
});

/** Lets `happen` happen when the order has just been stored as waiting, before its runner hears of it. */
async function whenWaiting(world: World, happen: (life: Life) => Promise<void>): Promise<Life> {
  let hasHappened = false;
  const witness: Witness = async (name, act) => {
    if (name === 'authority.finalize' && !hasHappened) throw new LanyardError('authority-order-lost');
    const answer = await act();
    const { openOrder } = await world.store.orders.dossier(DEVICE);
    if (name === 'store.save' && !hasHappened && openOrder?.state.kind === 'waiting') {
      hasHappened = true;
      await happen(life);
    }
    return answer;
  };
  const life = world.live(witness);
  await life.issuance.start();
  await life.issuance.request(requestFor());
  await world.clock.advance(DAY_MS);
  expect(hasHappened).toBe(true);
  return life;
}

describe('a request with a new key', () => {
  test('that comes in the very moment its order begins to wait goes on with the new key', async () => {
    const world = new World();
    const life = await whenWaiting(world, async ({ issuance }) => {
      expect((await issuance.request(requestFor([NAME], 'key-2'))).kind).toBe('accepted');
    });
    expect(life.issued.map(({ keyHash }) => keyHash)).toEqual(['key-2']);
    expect(world.board.records).toEqual([]);
  });

  test('whose answer from the store is lost does not make the broker spin', async () => {
    const world = new World();
    let places = 0;
    const rekey: Witness = async (name, act) => {
      if (name === 'store.place') places += 1;
      // Another process, or one whose answer never came, has given the order another key.
      const other = { ...requestFor([NAME], 'key-2'), orderId: 'o', requestedAtMs: 0 };
      if (places === 1) await world.store.orders.accept(other);
      return places < 1_000 ? await act() : await never();
    };
    const life = world.live(rekey);
    await life.issuance.start();
    await life.issuance.request(requestFor());
    await world.clock.advance(HOUR_MS);
    expect(places).toBeLessThan(1_000);
    expect(life.issued).toEqual([]);
    expect(world.authority.newOrders).toEqual([]);
  });
});

describe('many orders', () => {
  test('are done by no more acts at once than are allowed, and all of them are done', async () => {
    const world = new World();
    let acts = 0;
    let most = 0;
    const count: Witness = async (name, act) => {
      const isOutward = !name.startsWith('store.');
      most = Math.max(most, (acts += isOutward ? 1 : 0));
      // A moment in which others may begin.
      if (isOutward) await new Promise<void>((resolve) => void world.clock.setTimer(5, resolve));
      const answer = await act();
      acts -= isOutward ? 1 : 0;
      return answer;
    };
    const life = world.live(count, 3);
    const started = life.issuance.start();
    await world.clock.advance(10);
    await started;
    for (let n = 0; n < 20; n++) {
      await life.issuance.request(requestFor([`a${n}.devices.example.com`], `key-${n}`, `appliance-${n}`));
    }
    await world.clock.advance(HOUR_MS);
    expect(life.issued).toHaveLength(20);
    expect(most).toBe(3);
  });

  test('of one appliance with the same key are one', async () => {
    const world = new World();
    const { issuance } = await begin(world);
    const acceptances = await Promise.all(Array.from({ length: 10 }, () => issuance.request(requestFor())));
    expect(acceptances.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => 'running'));
    await world.clock.advance(HOUR_MS);
    expect(world.authority.issuedCount).toBe(1);
    expect((await issuance.request(requestFor())).kind).toBe('issued');
  });
});

describe('stopping', () => {
  test('abandons an act under way, and the next start repeats it', async () => {
    const world = new World();
    const first = world.live(async (name, act) => (name === 'authority.order' ? await never() : await act()));
    await first.issuance.start();
    await first.issuance.request(requestFor());
    await world.clock.advance(MINUTE_MS);
    const stopped = first.issuance.stop();
    await world.clock.advance(5 * SECOND_MS);
    await stopped;
    const second = world.live();
    await second.issuance.start();
    await world.clock.advance(MINUTE_MS);
    await expectIssued(world, second);
    expect(first.issued).toEqual([]);
    expect(world.authority.orderCount).toBe(1);
  });

  test('takes no time when nothing is under way, and nothing happens afterwards', async () => {
    const world = new World();
    const acts: string[] = [];
    const life = await begin(world, async (name, act) => {
      acts.push(name);
      if (name === 'authority.newOrder') throw new LanyardError('authority-unreachable');
      return await act();
    });
    await world.clock.advance(MINUTE_MS);
    await life.issuance.stop();
    const before = acts.length;
    await world.clock.advance(DAY_MS);
    expect(acts).toHaveLength(before);
  });

  test('is harmless before the start', async () => {
    await expect(new World().live().issuance.stop()).resolves.toBeUndefined();
  });

  test('an act that comes back late changes nothing any more', async () => {
    const world = new World();
    let release: (() => void) | undefined;
    const life = await begin(world, async (name, act) => {
      const answer = await act();
      if (name === 'authority.newOrder') await new Promise<void>((resolve) => (release = resolve));
      return answer;
    });
    await world.clock.advance(SECOND_MS);
    const stopped = life.issuance.stop();
    release?.();
    await stopped;
    await world.clock.advance(HOUR_MS);
    const { openOrder } = await world.store.orders.dossier(DEVICE);
    expect(openOrder).toMatchObject({ keyHash: KEY_HASH, state: { kind: 'ordering' } });
  });
});

test.each(['authority-refused', 'authority-protocol'] as const)(
  'a finalize that is refused (%s) because an earlier one is having its effect is no failure',
  async (code) => {
    const world = new World();
    let calls = 0;
    const life = await begin(world, async (name, act) => {
      if (name !== 'authority.finalize' || ++calls > 1) return await act();
      await act();
      return await act().catch((cause: unknown) => {
        throw new LanyardError(code, { message: 'orderNotReady', cause });
      });
    });
    await world.clock.advance(HOUR_MS);
    await expectIssued(world, life);
    expect(life.failed).toEqual([]);
    expect(world.authority.newOrders).toHaveLength(1);
  },
);
