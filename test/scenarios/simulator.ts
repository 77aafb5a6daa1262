/** The simulator's command line as a child process, and what it leaves behind. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runToEnd } from '../support/run-to-end.ts';
import type { Ended } from '../support/run-to-end.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 280_000;

/** The last line on standard output: scripts rely on these fields and their order. */
const summary = z.strictObject({
  scenario: z.string(),
  gear: z.enum(['virtual', 'wall']),
  appliances: z.int(),
  seed: z.int(),
  eventHash: z.string().regex(/^[0-9a-f]{16}$/),
  certified: z.int(),
  violations: z.int(),
  seconds: z.number(),
  peakRssMb: z.number().positive(),
});

export type Summary = z.output<typeof summary>;

type Word = string | number;

export async function simulator(...args: readonly Word[]): Promise<Ended> {
  return await simulatorWithin(TIMEOUT_MS, ...args);
}

export async function simulatorWithin(timeoutMs: number, ...args: readonly Word[]): Promise<Ended> {
  // More than Node takes by itself, and only taken where a fleet needs it.
  const node = ['--conditions=lanyard-source', '--max-old-space-size=16384'];
  const command = [...node, 'simulator/src/main.ts', ...args.map(String)];
  return await runToEnd(process.execPath, command, { cwd: REPOSITORY, timeoutMs });
}

export function summaryOf({ stdout, report }: Pick<Ended, 'stdout' | 'report'>): Summary {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`the last line is no summary:\n${report}`);
  return summary.parse(JSON.parse(last));
}
