/** How long years of a fleet take on virtual time, and whether the cost of one appliance's year depends on its neighbours. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const { values } = parseArgs({
  options: {
    /** Sizes of the fleet, one run each. */
    appliances: { type: 'string', default: '1000,10000' },
    for: { type: 'string', default: '400d' },
    shards: { type: 'string', default: '2' },
    /** A look at whether it works at all. */
    quick: { type: 'boolean', default: false },
  },
});

const summary = z.object({ certified: z.number(), violations: z.number(), seconds: z.number(), peakRssMb: z.number() });

const sizes = values.quick ? [50, 200] : values.appliances.split(',').map(Number);
const days = Number.parseFloat(values.quick ? '100d' : values.for);
const runs = [];
for (const appliances of sizes) {
  process.stderr.write(`${appliances} appliances, ${days} days; load before ${loadavg()[0]?.toFixed(1)}\n`);
  const { certified, violations, seconds, peakRssMb } = await simulate(appliances);
  if (certified !== appliances || violations > 0) throw new Error(`${certified} certified, ${violations} violations`);
  const millisecondsPerYear = Math.round((seconds * 1_000 * 365) / (appliances * days));
  runs.push({ appliances, seconds, peakRssMb, millisecondsPerYear });
}
const costs = runs.map(({ millisecondsPerYear }) => millisecondsPerYear);
process.stdout.write(
  `${JSON.stringify({ days, shards: Number(values.shards), runs, dearestByCheapest: Math.round((Math.max(...costs) / Math.min(...costs)) * 100) / 100 })}\n`,
);

async function simulate(appliances: number): Promise<z.infer<typeof summary>> {
  const script = ['--conditions=lanyard-source', '--max-old-space-size=16384', 'simulator/src/main.ts'];
  const wish = ['run', 'renewal-year', '--seed', '1', '--appliances', appliances, '--for', `${days}d`];
  const child = spawn(process.execPath, [...script, ...wish.map(String), '--shards', values.shards], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  for await (const line of createInterface(child.stdout)) last = line;
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  if (code !== 0) throw new Error(`the run of ${appliances} appliances ended with ${code}`);
  return summary.parse(JSON.parse(last));
}
