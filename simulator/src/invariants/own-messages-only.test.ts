import { expect, test } from 'vitest';
import { objectors, watchedRun } from './test-run.ts';

test('a message that goes to the neighbour', async () => {
  const [first, second] = ['pretend-0000001', 'pretend-0000002'];
  const outcome = await watchedRun({ for: '1d', route: (deviceId) => (deviceId === first ? second : deviceId) });
  expect(objectors(outcome)).toContain('own-messages-only');
  expect(outcome.shown[0]).toMatchObject({
    invariant: 'own-messages-only',
    appliance: 2,
    detail: `${second} was given a state that was meant for ${first}`,
  });
});

test('a message that speaks of the neighbour’s name', async () => {
  const names: (readonly string[])[] = [];
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({
      ...ports,
      send: (deviceId, message) => {
        if (message.kind !== 'state') return ports.send(deviceId, message);
        names.push(message.state.names);
        return ports.send(deviceId, { ...message, state: { ...message.state, names: names[0] ?? [] } });
      },
    }),
  });
  expect(objectors(outcome)).toEqual(['own-messages-only']);
});
