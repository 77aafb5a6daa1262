import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import type { Happening } from '../world/happening.ts';
import { replacedBeforeRevoked } from './replaced-before-revoked.ts';
import { NO_FACTS } from './test-facts.ts';
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

test('what a CA revokes after another one has certified anew was replaced long ago', () => {
  const HOUR_MS = 3_600_000;
  const facts = { ...NO_FACTS, appliances: 1, inTouchSinceMs: () => 0, renewalPollMs: () => 6 * HOUR_MS };
  const certified = (ca: number): readonly Happening[] => [
    { atMs: HOUR_MS, kind: 'authority', appliance: 0, what: 'certified', about: 'k', ca },
    { atMs: HOUR_MS, kind: 'installed', appliance: 0, notAfterMs: 0, isFirst: false, waitedMs: 0 },
  ];
  const revoked: readonly Happening[] = [
    { atMs: 2 * HOUR_MS, kind: 'event', what: 'mass-revocation', phase: 'begins', ca: 1 },
    { atMs: 26 * HOUR_MS, kind: 'authority', appliance: 0, what: 'revoked', about: '4', ca: 1 },
  ];
  const breaches = (happenings: readonly Happening[]): number => {
    let found = 0;
    const invariant = replacedBeforeRevoked({ facts, violate: () => void found++ });
    for (const happening of happenings) invariant.onHappening?.(happening);
    return found;
  };
  expect(breaches([...certified(0), ...certified(1), ...revoked])).toBe(1);
  expect(breaches([...certified(1), ...certified(0), ...revoked])).toBe(0);
});
