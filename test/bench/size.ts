/** How large the SDK's self-contained bundle is, and how soon after its start an appliance answers over HTTPS. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { prepareFlash } from '../support/prepared-flash.ts';
import type { PreparedFlash } from '../support/prepared-flash.ts';
import { runProgram } from '../support/program.ts';

/** What a firmware image can spare, and what nobody in front of a browser notices. */
const BUDGET = { minifiedBytes: 1_000_000, gzippedBytes: 260_000, startMs: 400 } as const;
const STARTS = 5;

const repository = new URL('../..', import.meta.url).pathname;
const bundle = join(repository, 'sdk/dist/bundle.js');

await runProgram({ command: 'npm', args: ['run', 'build', '--workspace', 'sdk'], directory: repository });
const text = await readFile(bundle);
process.stderr.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
const figures = {
  minifiedBytes: text.length,
  gzippedBytes: gzipSync(text, { level: 9 }).length,
  startMs: await start(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
for (const [name, budget] of Object.entries(BUDGET)) {
  const value = Object.entries(figures).find(([key]) => key === name)?.[1] ?? 0;
  if (value <= budget) continue;
  process.stderr.write(`${name} is ${value}, more than ${budget}\n`);
  process.exitCode = 1;
}

/** The median, from the start of the process to the end of the first answer. */
async function start(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-bench-'));
  try {
    const flash = await prepareFlash(directory, { hasCertificate: true });
    const rootPath = join(directory, 'root.pem');
    await writeFile(rootPath, flash.rootPem);
    const times: number[] = [];
    for (let index = 0; index < STARTS; index++) times.push(await startOnce(flash, rootPath));
    const [median = 0] = times.toSorted((one, other) => one - other).slice(Math.floor(STARTS / 2));
    return Math.round(median);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function startOnce({ identity, vault }: PreparedFlash, rootPath: string): Promise<number> {
  const script = new URL('../support/answer-once.mjs', import.meta.url).pathname;
  const startMs = performance.now();
  const child = spawn(process.execPath, [script, bundle, identity, vault, rootPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [answer]: unknown[] = await once(child.stdout, 'data');
  const tookMs = performance.now() - startMs;
  await exited;
  if (!String(answer).includes('hello')) throw new Error(`the appliance answered ${String(answer)}`);
  return tookMs;
}
