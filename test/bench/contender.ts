/** One contender's process: tells where its DNS is, hears where the CA is, gets certificates, tells how long it took. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { acmeClientContender } from './contender-acme-client.ts';
import { goContender } from './contender-go.ts';
import { legoContender } from './contender-lego.ts';
import { oursContender } from './contender-ours.ts';

export interface Task {
  readonly directoryUrl: string;
  readonly rootsPath: string;
  /** An empty directory of its own. */
  readonly directory: string;
  readonly count: number;
  /** How many requests to the CA may be under way at once. */
  readonly concurrency: number;
  /** How many are asked for in a second; all at once when absent. */
  readonly perSecond?: number;
}

export interface Contender {
  readonly nameServer: { readonly host: string; readonly port: number };
  /** Everything that is not to be measured: accounts, keys, signing requests. */
  prepare(task: Task): Promise<void>;
  /** Gets `task.count` certificates. */
  race(onCertificate: () => void): Promise<void>;
  /** CPU that its work has cost so far, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

const task = z.object({
  directoryUrl: z.string(),
  rootsPath: z.string(),
  directory: z.string(),
  count: z.int().min(1),
  concurrency: z.int().min(1),
});

/** How often progress is told. */
const TOLD_EVERY = 50;

async function makeContender(name: string | undefined, directory: string): Promise<Contender> {
  switch (name) {
    case 'ours':
      return await oursContender(directory);
    case 'acmeClient':
      return await acmeClientContender();
    case 'certmagic':
      return await goContender('certmagic');
    case 'legoLibrary':
      return await goContender('lego');
    case 'lego':
      return await legoContender(directory);
    default:
      throw new Error(`there is no contender ${name}`);
  }
}

const [name, directory = '.'] = process.argv.slice(2);
const contender = await makeContender(name, directory);
process.stdout.write(`${JSON.stringify(contender.nameServer)}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const given = task.parse(JSON.parse(line));
  await contender.prepare(given);
  let certificates = 0;
  const cpuBeforeMs = await contender.cpuMs();
  const startMs = performance.now();
  await contender.race(() => {
    certificates += 1;
    if (certificates % TOLD_EVERY === 0) process.stderr.write(`${name}: ${certificates} of ${given.count}\n`);
  });
  const seconds = (performance.now() - startMs) / 1000;
  const cpuMs = (await contender.cpuMs()) - cpuBeforeMs;
  process.stdout.write(`${JSON.stringify({ certificates, seconds, cpuMs })}\n`);
  break;
}
await contender.stop();
