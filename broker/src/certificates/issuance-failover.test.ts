import { LanyardError } from '@lanyard/sdk/kernel';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import { AuthorityDouble } from './authority-double.ts';
import type { AuthorityTerms } from './budget/rate-limit.ts';
import { THREE, requestOf, worldWith } from './test-budget.ts';
import { DEVICE, KEY_HASH, PATIENCE_MS, honest, requestFor } from './test-life.ts';
import type { Life, Witness, World } from './test-life.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface Two {
  readonly world: World;
  readonly second: AuthorityDouble;
}

/** A world with a first CA of these limits, and a second one. */
function two(limits: AuthorityTerms['limits'] = {}): Two {
  const world = worldWith(limits);
  const second = another(world);
  world.others = [{ terms: { id: 'second', limits: {}, renewals: 'exempt' }, authority: second }];
  return { world, second };
}

function another(world: World): AuthorityDouble {
  const made = new AuthorityDouble({ clock: world.clock, txt: (name) => world.board.valuesAt(name) });
  made.forge = (chain) => ({
    ...chain,
    serial: `second ${chain.serial}`,
    fingerprint: `second ${chain.fingerprint}`,
    renewalId: `second.${chain.serial}`,
  });
  return made;
}

/** The first CA does not answer while `isAway`. */
function awayWhile(isAway: () => boolean, what = 'authority.'): Witness {
  return async (name, act) => {
    if (name.startsWith(what) && isAway()) throw new LanyardError('authority-unreachable');
    return await act();
  };
}

function refusing(what: RegExp, code: ErrorCode): Witness {
  return async (name, act) => {
    if (what.test(name)) throw new LanyardError(code);
    return await act();
  };
}

async function begin(world: World, witness: Witness = honest, orders = 1): Promise<Life> {
  const life = world.live(witness);
  await life.issuance.start();
  for (let n = 0; n < orders; n++) await life.issuance.request(requestOf(n));
  return life;
}

function issuersOf({ issued }: Life): readonly string[] {
  return issued.map(({ authority }) => authority);
}

async function expectTidy(world: World): Promise<void> {
  expect(world.board.records).toEqual([]);
  expect(await world.store.orders.openOrders()).toEqual([]);
}

describe('when the first CA is away', () => {
  test('the second takes over after a quarter of an hour, and the first again when it is back', async () => {
    const { world, second } = two();
    const endsMs = world.clock.nowMs() + DAY_MS;
    const life = await begin(
      world,
      awayWhile(() => world.clock.nowMs() < endsMs),
      6,
    );
    await world.clock.advance(PATIENCE_MS);
    expect(life.issued).toEqual([]);
    await world.clock.advance(PATIENCE_MS);
    expect(issuersOf(life)).toEqual(Array.from({ length: 6 }, () => 'second'));
    expect(second.orderCount).toBe(6);
    // One act at a time tries whether it is back, for half an hour at most.
    await world.clock.advance(DAY_MS);
    for (let n = 10; n < 14; n++) {
      await life.issuance.request(requestOf(n));
      await world.clock.advance(HOUR_MS);
    }
    expect(issuersOf(life).slice(6)).toEqual(['ca', 'ca', 'ca', 'ca']);
    await expectTidy(world);
  });

  test('every order in between is certified by the second, also those that try whether the first is back', async () => {
    const { world } = two();
    const endsMs = world.clock.nowMs() + 2 * DAY_MS;
    const life = await begin(
      world,
      awayWhile(() => world.clock.nowMs() < endsMs),
    );
    await world.clock.advance(HOUR_MS);
    for (let n = 1; n < 40; n++) {
      await life.issuance.request(requestOf(n));
      await world.clock.advance(HOUR_MS);
    }
    expect(issuersOf(life)).toEqual(Array.from({ length: 40 }, () => 'second'));
    await expectTidy(world);
  });

  test.each(['authority.', 'authority.authorization', 'authority.trigger', 'authority.order'])(
    'a lone order that meets it at %s is certified within the hour',
    async (what) => {
      const { world } = two();
      const life = await begin(
        world,
        awayWhile(() => true, what),
      );
      await world.clock.advance(HOUR_MS);
      expect(issuersOf(life)).toEqual(['second']);
    },
  );

  test.each(['authority.authorization', 'authority.trigger', 'authority.order'])(
    'from %s on, an order that is under way leaves it and its records behind',
    async (what) => {
      const { world } = two();
      const life = await begin(
        world,
        awayWhile(() => true, what),
        6,
      );
      await world.clock.advance(2 * HOUR_MS);
      expect(issuersOf(life)).toEqual(Array.from({ length: 6 }, () => 'second'));
      await expectTidy(world);
    },
  );

  test('an order that was finalized waits for its certificate for a day', async () => {
    const { world, second } = two();
    let isAway = true;
    const life = await begin(
      world,
      awayWhile(() => isAway, 'authority.certificate'),
      6,
    );
    await world.clock.advance(20 * HOUR_MS);
    isAway = false;
    await world.clock.advance(HOUR_MS);
    expect(issuersOf(life)).toEqual(Array.from({ length: 6 }, () => 'ca'));
    expect(second.orderCount).toBe(0);
  });

  test('nothing is sent to a CA that is not in the settings any more', async () => {
    const { world, second } = two();
    const first = await begin(
      world,
      awayWhile(() => true, 'authority.trigger'),
    );
    await world.clock.advance(MINUTE_MS);
    await first.issuance.stop();
    world.terms = { ...world.terms, id: 'new first' };
    const life = world.live();
    await life.issuance.start();
    await world.clock.advance(MINUTE_MS);
    expect(issuersOf(life)).toEqual(['new first']);
    expect(second.orderCount).toBe(0);
    await expectTidy(world);
  });
});

describe('when the first CA is there', () => {
  test('what its limits leave no room for goes to the second, and comes back when there is room', async () => {
    const { world } = two({ 'new-orders': THREE });
    const life = await begin(world, honest, 5);
    await world.clock.advance(MINUTE_MS);
    // Of three places one is kept free until the CA has surely counted the others.
    expect(issuersOf(life).toSorted()).toEqual(['ca', 'ca', 'second', 'second', 'second']);
    await world.clock.advance(HOUR_MS);
    await life.issuance.request(requestOf(9));
    await world.clock.advance(MINUTE_MS);
    expect(issuersOf(life).at(-1)).toBe('ca');
  });

  test('an order whose lost requests used up its budget goes to the second', async () => {
    const { world } = two({ 'new-orders': { burst: 2, periodMs: 2 * DAY_MS } });
    const life = await begin(
      world,
      awayWhile(() => true),
    );
    await world.clock.advance(HOUR_MS);
    expect(issuersOf(life)).toEqual(['second']);
    await expectTidy(world);
  });

  test('those that wait for room at the second hear of it when it is back', async () => {
    const { world } = two();
    world.others = world.others.map(({ authority, terms }) => ({
      authority,
      terms: { ...terms, limits: { 'new-orders': { burst: 2, periodMs: 20 * DAY_MS } } },
    }));
    const endsMs = world.clock.nowMs() + 3 * HOUR_MS;
    const life = await begin(
      world,
      awayWhile(() => world.clock.nowMs() < endsMs),
      6,
    );
    await world.clock.advance(3 * HOUR_MS);
    expect(issuersOf(life)).toEqual(['second', 'second']);
    // Every half hour at least one tries.
    await world.clock.advance(HOUR_MS);
    expect(issuersOf(life).slice(2)).toEqual(Array.from({ length: 4 }, () => 'ca'));
    await expectTidy(world);
  });

  test('a name that it refuses goes to the second at once', async () => {
    const { world } = two();
    const life = await begin(world, refusing(/^authority\.newOrder$/, 'authority-rejected-name'));
    await world.clock.advance(MINUTE_MS);
    expect(issuersOf(life)).toEqual(['second']);
  });

  test('one that all refuse is tried again the next day', async () => {
    const { world, second } = two();
    const refuses = refusing(/\.newOrder$/, 'authority-refused');
    let asked = 0;
    const counts: Witness = async (name, act) => {
      if (name.endsWith('.newOrder')) asked += 1;
      return await refuses(name, act);
    };
    await begin(world, counts);
    await world.clock.advance(DAY_MS - MINUTE_MS);
    expect(asked).toBe(2);
    await world.clock.advance(HOUR_MS);
    expect(asked).toBe(4);
    expect(second.orderCount).toBe(0);
  });
});

test('a certificate is named as replaced to the CA that issued it, and to no other', async () => {
  const { world, second } = two();
  let isAway = false;
  const life = world.live(awayWhile(() => isAway));
  await life.issuance.start();
  const certify = async (key: string): Promise<void> => {
    await life.issuance.request(requestFor(undefined, key));
    await world.clock.advance(3 * HOUR_MS);
    expect(life.issued.at(-1)?.keyHash).toBe(key);
  };
  await certify(KEY_HASH);
  await world.clock.advance(61 * DAY_MS);
  isAway = true;
  await certify('key-2');
  await world.clock.advance(61 * DAY_MS);
  await certify('key-3');
  isAway = false;
  await world.clock.advance(61 * DAY_MS);
  await certify('key-4');
  expect(second.newOrders.map(({ replaces }) => replaces)).toEqual([undefined, 'second.1']);
  // Its own of half a year ago has expired.
  expect(world.authority.newOrders.map(({ replaces }) => replaces)).toEqual([undefined, undefined]);
  expect(issuersOf(life)).toEqual(['ca', 'second', 'second', 'ca']);
});

/** The first CA finds no record, so many times. */
async function unverified(times: number, rehearsal = true) {
  const world = worldWith({});
  const staging = another(world);
  if (rehearsal) {
    world.rehearsal = { terms: { id: 'staging', limits: {}, renewals: 'exempt' }, authority: staging };
  }
  let failures = 0;
  const witness: Witness = async (name, act) => {
    if (name === 'board.put' && failures++ < times) return undefined;
    return await act();
  };
  const life = world.live(witness);
  await life.issuance.start();
  await life.issuance.request(requestFor());
  return { world, staging, life };
}

describe('an order that could not be verified', () => {
  test('is rehearsed before it counts again, and what that yields is handed to nobody', async () => {
    const { world, staging, life } = await unverified(1);
    await world.clock.advance(HOUR_MS);
    expect(staging.issuedCount).toBe(1);
    expect(issuersOf(life)).toEqual(['ca']);
    expect(world.authority.newOrders).toHaveLength(2);
    expect((await world.store.orders.dossier(DEVICE)).latestCertificate?.authority).toBe('ca');
    await expectTidy(world);
  });

  test('fails where it costs nothing until it passes', async () => {
    const { world, staging, life } = await unverified(3);
    await world.clock.advance(3 * DAY_MS);
    expect(staging.newOrders).toHaveLength(3);
    expect(world.authority.newOrders).toHaveLength(2);
    expect(issuersOf(life)).toEqual(['ca']);
  });

  test('goes on as before where there is no CA to rehearse at', async () => {
    const { world, life } = await unverified(1, false);
    await world.clock.advance(HOUR_MS);
    expect(issuersOf(life)).toEqual(['ca']);
  });
});
