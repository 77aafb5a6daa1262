import { expect, test } from 'vitest';
import { altered, objectors, watchedRun } from './test-run.ts';

test('a client that repeats what was refused, at once and by itself', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 2,
    scenario: { events: [{ do: 'authority-outage', at: '0s', for: '1d', how: 'error' }] },
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: async (order, signal) => {
          for (let tries = 0; tries < 20; tries++) await ports.authority.newOrder(order, signal).catch(() => {});
          return await ports.authority.newOrder(order, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['no-tight-loop', 'spares-absent-ca']);
  const shown = outcome.shown.find(({ invariant }) => invariant === 'no-tight-loop');
  expect(shown?.detail).toMatch(/^the CA refused \d+ requests within an hour, while [12] appliances had an order$/);
});

test('an appliance for which order after order is placed', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 2,
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: async (order, signal) => {
          const [name = ''] = order.names;
          for (let extra = 0; extra < 7; extra++) {
            await ports.authority.newOrder({ names: [name, `x${extra}.${name}`] }, signal);
          }
          return await ports.authority.newOrder(order, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['no-tight-loop', 'one-open-order']);
  expect(outcome.byInvariant['no-tight-loop']).toBe(2);
});

test('a CA that fails for a day is not hammered by a broker with much to do', async () => {
  const outcome = await watchedRun({
    for: '2d',
    appliances: 30,
    scenario: { events: [{ do: 'authority-outage', at: '0s', for: '1d', how: 'error' }] },
  });
  expect(objectors(outcome)).toEqual([]);
});
