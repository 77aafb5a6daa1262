/** What holds for a hundred appliances holds for a fleet: the scenarios on limits, outages and years, at its size. */
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { simulatorWithin, summaryOf } from '../scenarios/simulator.ts';
import { succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { FLEET, FLEETS, TIMEOUT_MS, USUAL } from './sizes.ts';

const SEED = 1;

/** What a build machine has to spare; a larger fleet that cannot be divided may need more. */
const MOST_MB = FLEET <= USUAL ? 2_048 : Infinity;

/** How often the CA refused, by limit. */
const report = z.object({ limits: z.record(z.string(), z.number()) });

test.each(FLEETS)('$scenario, $appliances appliances', async ({ scenario, appliances, shards, isRefused }) => {
  await using temporary = await temporaryDirectory();
  const json = join(temporary.path, 'result.json');
  const where = ['--gear', 'virtual', '--appliances', appliances, '--shards', shards, '--seed', SEED];
  const ended = await simulatorWithin(TIMEOUT_MS, 'run', scenario, ...where, '--json', json);

  // Every demand of the scenario is met.
  succeeded(ended);
  const summary = summaryOf(ended);
  process.stdout.write(`${JSON.stringify(summary)} load ${loadavg()[0]?.toFixed(1)}\n`);
  expect(summary).toMatchObject({ scenario, gear: 'virtual', appliances, seed: SEED, violations: 0 });
  expect(summary.peakRssMb).toBeLessThanOrEqual(MOST_MB);
  const { limits } = report.parse(JSON.parse(await readFile(json, 'utf8')));
  expect(Object.keys(limits).length > 0).toBe(isRefused);
});
