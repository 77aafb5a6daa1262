import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import { objectors, watchedRun } from './test-run.ts';

const ROUGH: Partial<ScenarioInput> = {
  population: { arrivals: { over: '1d' } },
  broker: { checkIn: '1d' },
  events: [
    { do: 'power-cut', at: '3d', every: '17d', for: '6h', where: { share: 0.4 } },
    { do: 'reboot', at: '5d', every: '11d', where: { share: 0.3 } },
    { do: 'move', at: '2d', every: '7d', where: { share: 0.5 } },
    { do: 'partition', at: '8d', every: '23d', for: '2h', where: { share: 0.3 } },
    { do: 'broker-kill', at: '1h', every: '7d', for: '30s' },
    { do: 'broker-stop', at: '20d', every: '30d', for: '10m' },
    { do: 'authority-outage', at: '58d', for: '1d' },
    { do: 'authority-outage', at: '62d', for: '6h', how: 'error' },
    { do: 'factory-reset', at: '70d', where: { share: 0.1 } },
  ],
};

test('in a rough but honest world nothing is objected to', async () => {
  const outcome = await watchedRun({ for: '120d', appliances: 60, seed: 7, scenario: ROUGH });
  expect(outcome.shown).toEqual([]);
  expect(objectors(outcome)).toEqual([]);
});

test('a CA that takes twenty minutes to issue is waited for', async () => {
  const scenario: Partial<ScenarioInput> = { authority: { asyncFinalize: '20m' } };
  const outcome = await watchedRun({ for: '65d', appliances: 10, seed: 1, scenario });
  expect(objectors(outcome)).toEqual([]);
});
