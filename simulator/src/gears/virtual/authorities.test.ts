import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { ScenarioInput } from '../../scenarios/scenario.ts';
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { Happening } from '../../world/happening.ts';
import { playPart } from './part.ts';
import { busyRun } from './test-busy-run.ts';
import type { BusyOutcome } from './test-busy-run.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, openWorld } from './test-world.ts';
import type { TestWorld } from './test-world.ts';
import { startTimetable } from './timetable.ts';

const LIMITED = { limits: { newOrdersPerAccount: { burst: 90, per: '1d' } } } as const;

const opened: TestWorld[] = [];
afterEach(async () => {
  for (const { world } of opened.splice(0)) await world.close();
});

async function town(scenario: Partial<ScenarioInput>): Promise<TestWorld> {
  const made = await openWorld({ scenario });
  opened.push(made);
  startTimetable(made.world, 1);
  for (const box of made.world.boxes) void box.powerOn('first boot');
  return made;
}

function certifiersOf({ told }: { readonly told: readonly Happening[] }): readonly number[] {
  return told.flatMap((fact) => (fact.kind === 'authority' && fact.what === 'certified' ? [fact.ca ?? 0] : []));
}

describe('of several CAs', () => {
  test('the first issues while it is there', async () => {
    const small = await town({ failover: [{}, {}] });
    await small.world.clock.advance(HOUR_MS);
    expect(certifiersOf(small)).toEqual([0, 0]);
  });

  test('an outage is that of one, and the next takes over', async () => {
    const events: ScenarioInput['events'] = [
      { do: 'authority-outage', at: 0, for: '1d' },
      { do: 'authority-outage', at: 0, for: '2d', ca: 1, how: 'error' },
    ];
    const small = await town({ failover: [{}, {}], events });
    const failing = (): readonly boolean[] =>
      small.world.authorities.all.map(({ model }) => {
        const { isUnreachable, isFailing } = model.controls.faults;
        return isUnreachable || isFailing;
      });
    await small.world.clock.advance(MINUTE_MS);
    expect(failing()).toEqual([true, true, false]);
    await small.world.clock.advance(HOUR_MS);
    expect(certifiersOf(small)).toEqual([2, 2]);
    await small.world.clock.advance(DAY_MS);
    expect(failing()).toEqual([false, true, false]);
    expect(small.all('event').map(({ ca = 0, phase }) => `${ca} ${phase}`)).toEqual(['0 begins', '1 begins', '0 ends']);
  });

  test('each has limits and a profile of its own, which change one at a time', async () => {
    const events: ScenarioInput['events'] = [
      { do: 'authority-limits', at: '1m', ca: 1, limits: { newOrdersPerAccount: { burst: 4, per: '1d' } } },
      { do: 'profile-change', at: '1m', ca: 1, profile: 'shortlived' },
    ];
    const { world } = await town({ authority: LIMITED, failover: [LIMITED], events });
    await world.clock.advance(2 * MINUTE_MS);
    const burstOf = (ca: number): unknown => world.authorities.at(ca).model.controls.limits.limits.newOrdersPerAccount;
    expect([burstOf(0), burstOf(1)]).toMatchObject([{ burst: 90 }, { burst: 4 }]);
    expect(world.authorities.all.map(({ profile }) => profile)).toEqual([undefined, 'shortlived']);
    expect(() => world.authorities.at(2)).toThrow('there is no CA 2');
  });

  test('buckets say whose they are, and those of one CA do not', async () => {
    const events: ScenarioInput['events'] = [{ do: 'authority-outage', at: 0, for: '20m' }];
    const both = await town({ authority: LIMITED, failover: [LIMITED], events });
    await both.world.clock.advance(HOUR_MS);
    await both.world.vendor.broker?.renew(both.world.boxes[0]?.deviceId ?? '');
    await both.world.clock.advance(MINUTE_MS);
    expect(certifiersOf(both)).toEqual([1, 1, 0]);
    const names = both.world.authorities.levels().map(({ name }) => name);
    expect(names).toEqual([
      expect.stringMatching(/^CA 0: newOrdersPerAccount/),
      expect.stringMatching(/^CA 1: newOrdersPerAccount/),
    ]);
    const alone = await town({ authority: LIMITED });
    await alone.world.clock.advance(2 * MINUTE_MS);
    expect(alone.world.authorities.levels().map(({ name }) => name)).toEqual([
      expect.stringMatching(/^newOrdersPerAccount/),
    ]);
  });
});

const WEEK_AWAY: Partial<ScenarioInput> = {
  authority: { profile: 'shortlived' },
  failover: [{ profile: 'shortlived' }],
  events: [{ do: 'authority-outage', at: '1d', for: '4d' }],
};

test.each(['pooled', 'real'] as const)('%s certificates of either CA are accepted', async (crypto) => {
  const run = await busyRun({ crypto, appliances: 3, days: 6, more: { ...WEEK_AWAY, weather: {} } });
  expect(new Set(certifiersOf(run))).toEqual(new Set([0, 1]));
  // Renewed once at least, most of them by the second.
  expect(run.told.filter(({ kind }) => kind === 'installed')).toHaveLength(certifiersOf(run).length);
  expect(rootsOf(run)).toHaveLength(2);
});

test('the same seed takes over at the same instants', async () => {
  const [one, again, other] = [await hashOf(1), await hashOf(1), await hashOf(2)];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

async function hashOf(seed: number): Promise<string> {
  return (await busyRun({ crypto: 'stub', appliances: 10, days: 8, seed, more: WEEK_AWAY })).eventHash;
}

test('what each issued is measured', async () => {
  const scenario = scenarioSchema.parse({ name: 'away', about: 'The first is away.', ...WEEK_AWAY });
  const replay = { scenario: 'away', appliances: 5, seed: 1 };
  const plan = { scenario, appliances: 5, seed: 1, lengthMs: 5 * DAY_MS, crypto: 'stub', replay } as const;
  const { parcel } = await playPart(plan, { onProgress: () => {}, isStopped: () => false });
  const { authority, certificates, series } = parcel.snapshot;
  const { 0: first = 0, 1: second = 0 } = certificates.byCa;
  expect(first).toBeGreaterThan(0);
  expect(second).toBeGreaterThan(0);
  expect(first + second).toBe(authority['certified']);
  expect(series.certificates.reduce((sum, count) => sum + count, 0)).toBe(authority['certified']);
});

function rootsOf({ world }: BusyOutcome): readonly X509Certificate[] {
  const pems = world.authorities.rootsPem?.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return pems.map((pem) => new X509Certificate(pem));
}
