import { describe, expect, test } from 'vitest';
import { scenarioSchema } from '../../scenarios/scenario.ts';
import type { ScenarioInput } from '../../scenarios/scenario.ts';
import { playPart } from './part.ts';
import type { PartPlan } from './part.ts';
import { DAY_MS, HOUR_MS } from './test-world.ts';

function plan(scenario: Partial<ScenarioInput> = {}, change: Partial<PartPlan> = {}): PartPlan {
  const replay = { scenario: 'small', appliances: 4, seed: 1 };
  return {
    scenario: scenarioSchema.parse({ name: 'small', about: 'A small fleet.', ...scenario }),
    appliances: 4,
    seed: 1,
    lengthMs: HOUR_MS * 1.5,
    crypto: 'stub',
    replay,
    ...change,
  };
}

const unseen = { onProgress: () => {}, isStopped: () => false };

test('a part is measured, watched and fingerprinted', async () => {
  const { parcel, violations, eventHash } = await playPart(plan(), unseen);
  expect(parcel.snapshot).toMatchObject({ heads: { live: 4, certified: 4, connected: 4 } });
  expect(violations).toMatchObject({ total: 0, tolerated: 0, shown: [] });
  expect(eventHash).toMatch(/^[0-9a-f]{16}$/);
});

test('it crosses to another thread and back: plan and outcome are plain data', async () => {
  const wish = plan();
  expect(structuredClone(wish)).toEqual(wish);
  const outcome = await playPart(structuredClone(wish), unseen);
  expect(structuredClone(outcome)).toEqual(outcome);
});

test('only one appliance is switched on when only one is asked for', async () => {
  const { parcel } = await playPart(plan({}, { only: 2 }), unseen);
  expect(parcel.snapshot).toMatchObject({ heads: { live: 1, certified: 1 } });
});

describe('while it goes on', () => {
  test('its progress is told, from nothing to everything', async () => {
    const shares: number[] = [];
    const certified: number[] = [];
    await playPart(plan(), {
      onProgress: (parcel, share) => {
        shares.push(share);
        certified.push(parcel().snapshot.heads.certified);
      },
      isStopped: () => false,
    });
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.length).toBeGreaterThan(100);
    expect(shares.at(0)).toBeLessThan(0.01);
    expect(shares.at(-1)).toBeCloseTo(1, 2);
    expect([certified.at(0), certified.at(-1)]).toEqual([0, 4]);
  });

  test('it ends early when it is told to, with what there is', async () => {
    let told = 0;
    const { parcel } = await playPart(plan({}, { lengthMs: 100 * DAY_MS }), {
      onProgress: () => told++,
      isStopped: () => told >= 3,
    });
    expect(told).toBe(3);
    expect(parcel.snapshot.simulatedMs).toBeLessThan(DAY_MS);
  });
});

test('a broken promise is told with what shows it again, and as tolerated where the scenario says so', async () => {
  // Twins push each other out, and each wants a certificate for its own key.
  const events = [
    { do: 'clone', at: '10m', for: '1h' },
    { do: 'renew-all', at: '11m', over: '1m' },
  ] as const;
  const wish: Partial<ScenarioInput> = { events: [...events], population: { arrivals: { shape: 'at-once' } } };
  const tolerate = [{ invariant: 'no-tight-loop', because: 'clones are not detected yet' }];
  const strict = await playPart(plan(wish), unseen);
  const lenient = await playPart(plan({ ...wish, expect: { tolerate } }), unseen);
  const [shown] = strict.violations.shown;
  expect(strict.violations).toMatchObject({ total: expect.any(Number), tolerated: 0 });
  expect(strict.violations.total).toBeGreaterThan(0);
  expect(shown).toMatchObject({ invariant: 'no-tight-loop', replay: expect.stringContaining('run small') });
  expect(lenient.violations.tolerated).toBe(strict.violations.total);
  expect(lenient.eventHash).toBe(strict.eventHash);
});
