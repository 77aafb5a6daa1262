/** Every shipped scenario keeps its expectations and every promise, with the seed that it always has here. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { succeeded } from '../support/run-to-end.ts';
import { simulator, summaryOf } from './simulator.ts';
import { SIZES } from './sizes.ts';

const SEED = 1;

test('each has a size here, and list shows all of them', async () => {
  const files = readdirSync(new URL('../../simulator/scenarios/', import.meta.url));
  const { code, stdout } = await simulator('list');

  expect(new Set(files)).toEqual(new Set(Object.keys(SIZES).map((name) => `${name}.yaml`)));
  expect(code).toBe(0);
  const listed = stdout.split('\n').map((line) => line.split(' ')[0]);
  expect(listed).toEqual(expect.arrayContaining(Object.keys(SIZES)));
});

test.concurrent.each(Object.entries(SIZES))('%s, %i appliances', async (scenario, appliances) => {
  const where = ['--gear', 'virtual', '--appliances', appliances, '--seed', SEED];
  const ended = await simulator('run', scenario, ...where);

  succeeded(ended);
  expect(summaryOf(ended)).toMatchObject({ scenario, gear: 'virtual', appliances, seed: SEED, violations: 0 });
});
