import { expect, test } from 'vitest';
import { objectors, watchedRun } from './test-run.ts';

test('a broker that never asks for renewals lets certificates end', async () => {
  const outcome = await watchedRun({
    for: '95d',
    appliances: 3,
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
