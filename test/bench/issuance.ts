/** How many certificates a second from one CA, and at what cost: ours, stock acme-client, CertMagic, lego. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { describeError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { arePeersMissing } from '../support/peers.ts';
import { startModelCaProcess } from './model-ca-process.ts';
import { startPebbleProcess } from './pebble-process.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '8' },
    /** A look at whether it works at all. */
    quick: { type: 'boolean', default: false },
    /** Only this one. */
    only: { type: 'string' },
  },
});

/** lego needs seconds for each certificate, most of them waiting: a few show it. */
const PROGRAM_COUNT = 24;
const QUICK_COUNT = 24;

const nameServer = z.object({ host: z.string(), port: z.number() });
const outcome = z.object({ certificates: z.number(), seconds: z.number(), cpuMs: z.number() });

interface Figures {
  readonly perSecond: number;
  readonly cpuMsPerCertificate: number;
}

const count = values.quick ? QUICK_COUNT : Number(values.count);
const programCount = Math.min(count, PROGRAM_COUNT);
const CAS = { pebble: startPebbleProcess, modelCa: startModelCaProcess } as const;
type CaName = keyof typeof CAS;

// No uacme: it gives up at Pebble’s dns-persist-01, which has no token (“failed to parse challenge”).
const contenders = [
  { name: 'ours', ca: 'pebble', count, programs: [] },
  { name: 'ours', ca: 'modelCa', count, programs: [] },
  { name: 'acmeClient', ca: 'pebble', count, programs: [] },
  { name: 'certmagic', ca: 'pebble', count, programs: ['go'] },
  { name: 'legoLibrary', ca: 'pebble', count: programCount, programs: ['go'] },
  { name: 'lego', ca: 'pebble', count: programCount, programs: ['lego', 'curl'] },
] as const;

if (arePeersMissing('pebble')) process.exit(1);
const figures: Record<string, Partial<Record<CaName, Figures>>> = {};
for (const contender of contenders) {
  if (values.only !== undefined && values.only !== contender.name) continue;
  if (contender.programs.length > 0 && arePeersMissing(...contender.programs)) continue;
  const load = loadavg()[0]?.toFixed(1);
  process.stderr.write(
    `${contender.name}: ${contender.count} certificates from ${contender.ca}; load before ${load}\n`,
  );
  try {
    const { name, ca } = contender;
    figures[name] = { ...figures[name], [ca]: await race(name, ca, contender.count) };
  } catch (error) {
    // Ours must get through. The others may stumble over this CA, and are left out then.
    if (contender.name === 'ours') throw error;
    process.stderr.write(`${contender.name} is left out: ${describeError(error)}\n`);
  }
}
process.stdout.write(`${JSON.stringify(figures)}\n`);

/** In a process of its own, against a CA of its own. */
async function race(name: string, ca: CaName, certificates: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-bench-'));
  const script = new URL('contender.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...process.execArgv, script, name, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null');
  const authority = await CAS[ca](directory, nameServer.parse(await read()));
  try {
    const { directoryUrl, rootsPath } = authority;
    const task = { directoryUrl, rootsPath, directory, count: certificates, concurrency: Number(values.concurrency) };
    child.stdin.end(`${JSON.stringify(task)}\n`);
    const said = outcome.safeParse(await read());
    if (!said.success) throw new Error('it ended before its last certificate');
    const { certificates: got, seconds, cpuMs } = said.data;
    if (got !== certificates) throw new Error(`${name} got ${got} certificates instead of ${certificates}`);
    // By itself, so that a profiler in it can write down what it saw.
    await exited;
    return { perSecond: rounded(got / seconds), cpuMsPerCertificate: rounded(cpuMs / got) };
  } finally {
    child.kill('SIGKILL');
    await exited;
    await authority.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
