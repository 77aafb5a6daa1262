import { expect, test } from 'vitest';
import { altered, objectors, watchedRun } from './test-run.ts';

test('a board that takes nothing down', async () => {
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({ ...ports, board: altered(ports.board, { clear: async () => {} }) }),
  });
  expect(objectors(outcome)).toEqual(['no-challenge-left']);
  // When the order was closed, and again at the end.
  expect(outcome.total).toBe(10);
});

test('a record that was put up for nobody’s order', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 2,
    between: (ports) => ({
      ...ports,
      board: altered(ports.board, {
        publish: async (name, addresses) => {
          await ports.board.publish(name, addresses);
          await ports.board.put({ kind: 'txt', name: `_acme-challenge.${name}`, value: 'forgotten' });
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['no-challenge-left']);
});
