import { expect, test } from 'vitest';
import type { ScenarioInput } from '../scenarios/scenario.ts';
import { objectors, watchedRun } from './test-run.ts';

const HOUR_MS = 3_600_000;
/** As the world calls it. */
const FIRST = 'https://ca.lanyard.test';

test('a broker that never asks for renewals lets certificates end', async () => {
  const outcome = await watchedRun({
    for: '95d',
    appliances: 3,
    // Nor does it renew by itself whoever says nothing.
    scenario: { broker: { renewAsleep: 0 } },
    between: (ports) => ({
      ...ports,
      send: (deviceId, message) =>
        message.kind === 'state' && message.state.todo.kind === 'request' && message.state.todo.reason === 'renewal'
          ? true
          : ports.send(deviceId, message),
    }),
  });
  expect(objectors(outcome)).toEqual(['no-live-appliance-expires']);
  expect(outcome.total).toBe(3);
  expect(outcome.shown[0]).toMatchObject({ replay: expect.stringContaining('--appliances 3 --seed 1 --until 7') });
});

test('a certificate that ends on a shelf is nobody’s fault', async () => {
  const outcome = await watchedRun({
    for: '95d',
    appliances: 2,
    scenario: { events: [{ do: 'shelf', at: '1d', for: '300d' }] },
  });
  expect(objectors(outcome)).toEqual([]);
});

/** A certificate lives for 160 hours, and the first CA is away for longer. */
function awayFor(failoverAfter: string, more: ScenarioInput['events'] = []): Partial<ScenarioInput> {
  return {
    authority: { profile: 'shortlived' },
    failover: [{ profile: 'shortlived' }],
    broker: { failoverAfter },
    events: [{ do: 'authority-outage', at: '1d', for: '20d' }, ...more],
  };
}

test('a broker that never asks the second CA lets certificates end', async () => {
  const outcome = await watchedRun({
    for: '10d',
    scenario: awayFor('15m'),
    between: (ports) => ({
      ...ports,
      orders: {
        ...ports.orders,
        async place(wish) {
          if (wish.order.placement || wish.terms.id === FIRST) return await ports.orders.place({ ...wish, others: [] });
          const bucket = { authority: wish.terms.id, limit: 'new-orders', subject: '' } as const;
          return { kind: 'short', bucket, untilMs: wish.nowMs + HOUR_MS };
        },
      },
    }),
  });
  expect(objectors(outcome)).toEqual(['no-live-appliance-expires']);
  expect(outcome.total).toBe(5);
});

test('one that does keeps them alive', async () => {
  expect(objectors(await watchedRun({ for: '20d', scenario: awayFor('15m') }))).toEqual([]);
});

test('what ends while both are away is nobody’s fault', async () => {
  const both = awayFor('15m', [{ do: 'authority-outage', ca: 1, at: '1d', for: '20d' }]);
  expect(objectors(await watchedRun({ for: '10d', scenario: both }))).toEqual([]);
});
