import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import { objectors, watchedRun } from './test-run.ts';

const OUTAGE: Partial<ScenarioInput> = { events: [{ do: 'authority-outage', at: '0s', for: '2h' }] };

test('a broker that says that something failed, but not when it is tried again', async () => {
  const outcome = await watchedRun({
    for: '1d',
    scenario: OUTAGE,
    between: (ports) => ({
      ...ports,
      send: (deviceId, message) => {
        if (message.kind !== 'problem') return ports.send(deviceId, message);
        const { retryAfterSeconds: _hidden, ...problem } = message.problem;
        return ports.send(deviceId, { ...message, problem });
      },
    }),
  });
  expect(objectors(outcome)).toEqual(['retries-are-told']);
  expect(outcome.shown[0]?.detail).toBe('it was told ca-unavailable, but not when to try again');
});

test('the broker as it is says when', async () => {
  expect(objectors(await watchedRun({ for: '1d', scenario: OUTAGE }))).toEqual([]);
});
