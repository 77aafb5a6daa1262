import { expect, test } from 'vitest';
import { isComplete } from './demo.ts';

const all = { appliances: 25, named: 25, certified: 25, padlocks: 25, moved: 3, renewed: 3 };

test('a demo is complete when everybody has everything, and those who moved or renewed have done so', () => {
  expect(isComplete(all)).toBe(true);
  for (const lacking of ['named', 'certified', 'padlocks', 'moved', 'renewed'] as const) {
    expect(isComplete({ ...all, [lacking]: all[lacking] - 1 })).toBe(false);
  }
});

test.each([
  [1, 1, 0],
  [3, 3, 0],
  [4, 3, 1],
  [6, 3, 3],
])('with %i appliances, %i move and %i renew', (appliances, moved, renewed) => {
  const result = { appliances, named: appliances, certified: appliances, padlocks: appliances, moved, renewed };
  expect(isComplete(result)).toBe(true);
  expect(isComplete({ ...result, moved: moved - 1 })).toBe(false);
});
