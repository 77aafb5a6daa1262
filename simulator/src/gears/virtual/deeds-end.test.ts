/** Whatever a scenario begins is there while it lasts, and gone afterwards. */
import { afterEach, describe, expect, test } from 'vitest';
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { ScenarioEvent, ScenarioInput } from '../../scenarios/scenario.ts';
import { NO_FAULTS } from '../../world/authority/faults.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, settledWorld } from './test-world.ts';
import type { TestWorld } from './test-world.ts';
import { startTimetable } from './timetable.ts';

type Wish = NonNullable<ScenarioInput['events']>[number];
type What = ScenarioEvent['do'];
/** What is to be seen of it. */
type Look = (town: TestWorld) => unknown;

interface Lasting {
  readonly wish: object;
  readonly look: Look;
  readonly before: unknown;
  readonly during: unknown;
  /** The same as before when left out. */
  readonly after?: unknown;
  /** How long after its end everything is well again. */
  readonly settlesMs?: number;
}

interface Passing {
  readonly wish: object;
  readonly look: Look;
  readonly before: unknown;
  readonly after: unknown;
  readonly settlesMs?: number;
}

const isOn: Look = ({ world }) => world.boxes.map((box) => box.isOn);
const isConnected: Look = ({ world }) => world.boxes.map((box) => box.isConnected);
const faults: Look = ({ world }) => world.authority.model.controls.faults;
const broker: Look = ({ world }) => world.vendor.broker !== undefined;
const BOTH = [true, true];
const NONE = [false, false];

const SOON_MS = 20 * MINUTE_MS;
/** Long enough for lines that nobody cut to be given up. */
const LASTS_MS = HOUR_MS;

const LASTING: Partial<Record<What, readonly Lasting[]>> = {
  'power-cut': [{ wish: {}, look: isOn, before: BOTH, during: NONE }],
  shelf: [{ wish: { where: { appliances: 2 } }, look: isOn, before: BOTH, during: NONE }],
  partition: [
    { wish: {}, look: isConnected, before: BOTH, during: NONE, settlesMs: SOON_MS },
    {
      wish: {},
      look: ({ world }) => world.boxes.map(({ reachableSinceMs }) => reachableSinceMs !== undefined),
      before: BOTH,
      during: NONE,
    },
  ],
  'flash-full': [
    { wish: {}, look: ({ world }) => world.boxes.map(({ flash }) => flash.isBroken), before: NONE, during: BOTH },
  ],
  'flash-read-only': [
    { wish: {}, look: ({ world }) => world.boxes.map(({ flash }) => flash.isBroken), before: NONE, during: BOTH },
  ],
  clone: [
    {
      wish: {},
      look: ({ world }) => world.clones.map((twin) => [twin.isOn, twin.flash.image().size > 0]),
      before: [],
      during: [
        [true, true],
        [true, true],
      ],
      after: [
        [false, true],
        [false, true],
      ],
    },
  ],
  'broker-stop': [{ wish: {}, look: broker, before: true, during: false, settlesMs: MINUTE_MS }],
  'broker-kill': [{ wish: {}, look: broker, before: true, during: false, settlesMs: MINUTE_MS }],
  'authority-outage': [
    { wish: {}, look: faults, before: NO_FAULTS, during: { ...NO_FAULTS, isUnreachable: true } },
    { wish: { how: 'error' }, look: faults, before: NO_FAULTS, during: { ...NO_FAULTS, isFailing: true } },
    { wish: { how: 'cut-answers' }, look: faults, before: NO_FAULTS, during: { ...NO_FAULTS, cutShare: 0.5 } },
    {
      wish: { how: 'wrong-certificates' },
      look: faults,
      before: NO_FAULTS,
      during: { ...NO_FAULTS, certificate: 'other-key' },
    },
  ],
  weather: [{ wish: { weather: { loss: 0.25 } }, look: ({ world }) => world.weather.loss, before: 0, during: 0.25 }],
};

const PASSING: Partial<Record<What, readonly Passing[]>> = {
  reboot: [
    {
      wish: {},
      look: ({ all }) => all('powered').map(({ isOn: on, why }) => `${on ? 'on' : 'off'} ${why}`),
      before: ['on first boot', 'on first boot'],
      after: ['on first boot', 'on first boot', 'off reboot', 'off reboot', 'on reboot', 'on reboot'],
      settlesMs: MINUTE_MS,
    },
  ],
  'factory-reset': [
    {
      wish: {},
      look: ({ all, world }) => [
        all('installed').filter(({ isFirst }) => isFirst).length,
        isOn({ all, world, told: [] }),
      ],
      before: [2, BOTH],
      after: [4, BOTH],
      settlesMs: SOON_MS,
    },
  ],
  move: [
    {
      wish: {},
      look: ({ all }) => [all('moved').length, all('published').length],
      before: [0, 0],
      after: [2, 2],
      settlesMs: SOON_MS,
    },
  ],
  'restore-image': [
    {
      wish: { age: '10m' },
      look: ({ all }) => all('powered').filter(({ why }) => why === 'restored image').length,
      before: 0,
      // Off and on, each of them.
      after: 4,
      settlesMs: SOON_MS,
    },
  ],
  'authority-limits': [
    {
      wish: { limits: { certificatesPerSet: { burst: 2, per: '7d' } } },
      look: ({ world }) => world.authority.model.controls.limits.limits.certificatesPerSet,
      before: undefined,
      after: { burst: 2, periodMs: 7 * DAY_MS },
    },
  ],
  'profile-change': [
    {
      wish: { profile: 'shortlived' },
      look: ({ world }) => world.authority.profile,
      before: undefined,
      after: 'shortlived',
    },
  ],
  'renew-all': [
    {
      wish: { over: '1m' },
      look: ({ all }) => all('installed').filter(({ isFirst }) => !isFirst).length,
      before: 0,
      after: 2,
      settlesMs: SOON_MS,
    },
  ],
  'mass-revocation': [
    {
      wish: { notice: '10m' },
      look: ({ all }) => all('authority').filter(({ what }) => what === 'revoked').length,
      before: 0,
      after: 2,
      settlesMs: SOON_MS,
    },
  ],
};

const ALL: Readonly<Record<What, true>> = {
  'power-cut': true,
  shelf: true,
  reboot: true,
  'factory-reset': true,
  move: true,
  partition: true,
  'flash-full': true,
  'flash-read-only': true,
  'restore-image': true,
  clone: true,
  'broker-stop': true,
  'broker-kill': true,
  'authority-outage': true,
  'authority-limits': true,
  'profile-change': true,
  'renew-all': true,
  'mass-revocation': true,
  weather: true,
};

let town: TestWorld;
const opened: TestWorld[] = [];
afterEach(async () => {
  for (const { world } of opened.splice(0)) await world.close();
});

/** A settled town in which these events happen from now on. */
async function townWith(...events: readonly Wish[]): Promise<TestWorld> {
  town = await settledWorld({ scenario: { events: [...events], broker: { checkIn: '30d' } } });
  opened.push(town);
  startTimetable(town.world, 1);
  return town;
}

/** An event of which only the kind is known. */
function wishOf(wish: object): Wish {
  scenarioSchema.parse({ name: 'a', about: 'A.', events: [wish] });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked at
  return wish as Wish;
}

test('everything that a scenario can say is tried here', () => {
  const tried = [...Object.keys(LASTING), ...Object.keys(PASSING)].toSorted();
  expect(tried).toEqual(Object.keys(ALL).toSorted());
});

describe.each(Object.entries(LASTING).flatMap(([what, all]) => all.map((one) => [what, one.wish, one] as const)))(
  '%s %o',
  (what, wish, { look, before, during, after = before, settlesMs = 1 }) => {
    test('lasts, ends, and comes again', async () => {
      const event = wishOf({ do: what, at: '10m', for: LASTS_MS, every: '5h', times: 2, ...wish });
      const { world, all } = await townWith(event);
      await world.clock.advance(9 * MINUTE_MS);
      expect(look(town)).toEqual(before);
      await world.clock.advance(LASTS_MS);
      expect(look(town)).toEqual(during);
      await world.clock.advance(MINUTE_MS + settlesMs);
      expect(look(town)).toEqual(after);
      expect(all('event').map(({ phase }) => phase)).toEqual(['begins', 'ends']);
      await world.clock.advance(24 * HOUR_MS);
      expect(all('event').map(({ phase }) => phase)).toEqual(['begins', 'ends', 'begins', 'ends']);
      expect([isOn(town), isConnected(town), broker(town)]).toEqual([BOTH, BOTH, true]);
    });
  },
);

describe.each(Object.entries(PASSING).flatMap(([what, all]) => all.map((one) => [what, one.wish, one] as const)))(
  '%s %o',
  (what, wish, { look, before, after, settlesMs = 1 }) => {
    test('happens once and is over', async () => {
      const { world, all } = await townWith(wishOf({ do: what, at: '10m', ...wish }));
      await world.clock.advance(10 * MINUTE_MS - 1);
      expect(look(town)).toEqual(before);
      await world.clock.advance(1 + settlesMs);
      expect(look(town)).toEqual(after);
      await world.clock.advance(6 * HOUR_MS);
      expect(look(town)).toEqual(after);
      expect(all('event').map(({ phase }) => phase)).toEqual(['begins']);
      expect([isOn(town), isConnected(town)]).toEqual([BOTH, BOTH]);
    });
  },
);

describe('events that overlap', () => {
  test('weather that comes into other weather leaves nothing behind', async () => {
    const { world } = await townWith(
      { do: 'weather', at: '1h', for: '2h', weather: { loss: 0.1 } },
      { do: 'weather', at: '2h', for: '2h', weather: { loss: 0.2 } },
    );
    const losses: number[] = [];
    for (let hour = 0; hour < 5; hour++) {
      await world.clock.advance(HOUR_MS + (hour === 0 ? -1 : 0));
      losses.push(world.weather.loss);
    }
    expect(losses).toEqual([0, 0.1, 0.2, 0.2, 0]);
  });

  test('a CA that fails in one way while it fails in another recovers from each in its time', async () => {
    const { world } = await townWith(
      { do: 'authority-outage', at: '1h', for: '6h' },
      { do: 'authority-outage', at: '2h', for: '1h', how: 'wrong-certificates' },
    );
    await world.clock.advance(2 * HOUR_MS + 1);
    expect(faults(town)).toEqual({ ...NO_FAULTS, isUnreachable: true, certificate: 'other-key' });
    await world.clock.advance(2 * HOUR_MS);
    expect(faults(town)).toEqual({ ...NO_FAULTS, isUnreachable: true });
    await world.clock.advance(4 * HOUR_MS);
    expect(faults(town)).toEqual(NO_FAULTS);
  });

  test('a broker that is killed while it is stopped starts once', async () => {
    const { world, all } = await townWith(
      { do: 'broker-stop', at: '1h', for: '1h' },
      { do: 'broker-kill', at: '90m', for: '1h' },
    );
    await world.clock.advance(6 * HOUR_MS);
    expect(all('broker').map(({ what }) => what)).toEqual(['started', 'stopped', 'started']);
    expect(isConnected(town)).toEqual(BOTH);
  });
});

describe('whoever is off stays off', () => {
  test.each<Wish>([
    { do: 'reboot', at: '1h' },
    { do: 'factory-reset', at: '1h' },
    { do: 'move', at: '1h' },
    { do: 'restore-image', at: '1h', age: '1h' },
    { do: 'clone', at: '1h', for: '1h' },
    { do: 'power-cut', at: '1h', for: '1h' },
  ])('%o', async (event) => {
    const { world, all } = await townWith({ do: 'shelf', at: '10m', for: '2d', where: { share: 1 } }, event);
    await world.clock.advance(90 * MINUTE_MS);
    expect(world.clones.some((twin) => twin.isOn)).toBe(false);
    await world.clock.advance(DAY_MS);
    expect(isOn(town)).toEqual(NONE);
    expect(all('powered').map(({ why }) => why)).toEqual(['first boot', 'first boot', 'shelf', 'shelf']);
    await world.clock.advance(2 * DAY_MS);
    expect([isOn(town), isConnected(town)]).toEqual([BOTH, BOTH]);
  });
});
