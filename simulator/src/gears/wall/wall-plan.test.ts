import { expect, test } from 'vitest';
import { scenarioSchema } from '../../scenarios/scenario.ts';
import { wallPlan } from './wall-plan.ts';

const about = 'For this test.';

test('what cannot be done on real sockets is refused, all of it at once', () => {
  const scenario = scenarioSchema.parse({
    name: 'too-much',
    about,
    population: { arrivals: { shape: 'workdays' } },
    failover: [{}],
    events: [
      { do: 'move', at: 0 },
      { do: 'shelf', at: 0, for: '1d' },
      { do: 'flash-full', at: 0, for: '1d' },
    ],
  });

  expect(() => wallPlan(scenario, 10)).toThrow(
    /too-much: .*cannot do shelf, flash-full, arrivals: workdays, failover; it can do/,
  );
});

test('a scenario becomes sites, arrivals and events', () => {
  const scenario = scenarioSchema.parse({
    name: 'possible',
    about,
    for: '1h',
    population: { perSite: 5, arrivals: { shape: 'ramp', over: '2m' } },
    broker: { reconnectSpread: '30s', checkIn: '1d', concurrency: 32 },
    events: [{ do: 'broker-kill', at: '5m' }],
  });

  expect(wallPlan(scenario, 100)).toMatchObject({
    sites: 20,
    arrivals: { shape: 'ramp', overMs: 120_000 },
    events: [{ do: 'broker-kill', at: 300_000, for: 5_000 }],
    limitMs: 3_600_000,
    settings: { mode: 'resident', checkInSeconds: 86_400, reconnectSpreadSeconds: 30, concurrency: 32 },
  });
});
