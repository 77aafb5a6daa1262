import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import { altered, objectors, watchedRun } from './test-run.ts';

const REVOCATION: Partial<ScenarioInput> = { events: [{ do: 'mass-revocation', at: '1d', notice: '24h' }] };

test('everybody is replaced in time', async () => {
  expect(objectors(await watchedRun({ for: '49h', appliances: 20, scenario: REVOCATION }))).toEqual([]);
});

test('a broker that does not listen to renewal information', async () => {
  const outcome = await watchedRun({
    for: '49h',
    scenario: REVOCATION,
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, { renewalInfo: async () => undefined }),
    }),
  });
  expect(objectors(outcome)).toEqual(['replaced-before-revoked']);
  expect(outcome.byInvariant['replaced-before-revoked']).toBe(5);
});

test.each<[string, Partial<ScenarioInput>]>([
  ['a CA that does not say when to renew', { ...REVOCATION, authority: { renewalInfo: 'none' } }],
  [
    'a notice shorter than the pause between two looks',
    { events: [{ do: 'mass-revocation', at: '1d', notice: '1h' }] },
  ],
  [
    'appliances that are switched off',
    { events: [...(REVOCATION.events ?? []), { do: 'power-cut', at: '23h', for: '1d' }] },
  ],
])('%s is no broken promise', async (_, scenario) => {
  expect(objectors(await watchedRun({ for: '49h', scenario }))).toEqual([]);
});
