/** How many questions a second our name server answers, and at what cost, beside Knot and PowerDNS with the same zone. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { arePeersMissing } from '../support/peers.ts';
import { fillDatabase, writeQuestions, writeZoneFile } from './dns-zone.ts';
import { startKnot, startOurs, startPowerDns } from './dns-servers.ts';
import type { DnsServerProcess, OurServerProcess } from './dns-servers.ts';
import { putLoad } from './dnsperf.ts';
import { startModelCaProcess } from './model-ca-process.ts';
import { cpuMsOf } from './process-cpu.ts';

const { values } = parseArgs({
  options: {
    names: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '5' },
    /** Each server is loaded so many times, in turns; the best counts. */
    rounds: { type: 'string', default: '3' },
    /** A look at whether it works at all. */
    quick: { type: 'boolean', default: false },
    /** Only how long our start takes. */
    start: { type: 'boolean', default: false },
  },
});

interface Figures {
  qps: number;
  cpuUsPerQuery: number;
  p99Ms: number;
  lost: number;
  readonly readyMs: number;
  readonly memoryMb: number;
}

const STEADY_PER_SECOND = 20_000;
const QUICK_PER_SECOND = 1_000;
const CERTIFICATES_PER_SECOND = 20;

const names = values.quick ? 1_000 : Number(values.names);
const seconds = values.quick ? 2 : Number(values.seconds);
const rounds = values.quick ? 1 : Number(values.rounds);
const perSecond = values.quick ? QUICK_PER_SECOND : STEADY_PER_SECOND;
const told = z.object({ certificates: z.number(), seconds: z.number() });

if (!values.start && arePeersMissing('dnsperf')) process.exit(values.quick ? 0 : 1);
const directory = await mkdtemp(join(tmpdir(), 'lanyard-bench-'));
const servers = new Map<string, DnsServerProcess>();
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`);
} finally {
  for (const server of servers.values()) await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function measure(): Promise<Record<string, Figures>> {
  await fillDatabase(join(directory, 'lanyard.sqlite'), names);
  const ours = await startOurs(directory);
  servers.set('ours', ours);
  if (!values.start) await startOthers();
  const figures: Record<string, Figures> = {};
  for (const [name, server] of servers) figures[name] = await begun(server);
  if (values.start) return figures;
  const questions = await writeQuestions(directory, names);
  for (let round = 0; round < rounds; round++)
    for (const [name, server] of servers) await loadFully(name, server, questions, figures[name]);
  for (const [name, server] of servers) {
    const issued = name === 'ours' ? issueMeanwhile(ours) : undefined;
    if (issued) await issued.begun;
    await loadSteadily(name, server, questions, figures[name]);
    await issued?.ended;
  }
  return figures;
}

async function startOthers(): Promise<void> {
  const zoneFile = await writeZoneFile(directory, names);
  if (!arePeersMissing('knotd')) servers.set('knot', await startKnot(directory, zoneFile));
  if (!arePeersMissing('pdns_server')) servers.set('powerdns', await startPowerDns(directory, zoneFile));
}

async function begun({ pid, readyMs }: DnsServerProcess): Promise<Figures> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const memoryMb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  return { qps: 0, cpuUsPerQuery: 0, p99Ms: 0, lost: 0, readyMs: Math.round(readyMs), memoryMb };
}

/** As much as it takes. The best of all rounds counts: neighbours can only take from it. */
async function loadFully(
  name: string,
  { pid, port }: DnsServerProcess,
  questions: string,
  best: Figures | undefined,
): Promise<void> {
  const before = await cpuMsOf(pid);
  const load = loadavg()[0]?.toFixed(1);
  const { perSecond: qps, answered } = await putLoad({ port, questions, seconds });
  const cpuUsPerQuery = (((await cpuMsOf(pid)) - before) * 1000) / answered;
  process.stderr.write(`${name}: ${qps.toFixed()} q/s, ${cpuUsPerQuery.toFixed(1)} µs each; load before ${load}\n`);
  if (best === undefined || qps <= best.qps) return;
  best.qps = Math.round(qps);
  best.cpuUsPerQuery = rounded(cpuUsPerQuery);
}

async function loadSteadily(
  name: string,
  { port }: DnsServerProcess,
  questions: string,
  figures: Figures | undefined,
): Promise<void> {
  const { p99Ms, lost, perSecond: reached } = await putLoad({ port, questions, seconds, perSecond });
  process.stderr.write(`${name}: at ${reached.toFixed()} q/s 99 % within ${p99Ms.toFixed(2)} ms, ${lost} lost\n`);
  if (figures !== undefined) Object.assign(figures, { p99Ms: rounded(p99Ms), lost });
}

/** Certificates from the model CA, which asks our name server for what they need. */
function issueMeanwhile(ours: OurServerProcess): { readonly begun: Promise<unknown>; readonly ended: Promise<void> } {
  const prepared = (async () => {
    const authority = await startModelCaProcess(directory, { host: '127.0.0.1', port: ours.port });
    const { directoryUrl, rootsPath } = authority;
    const count = (seconds + 1) * CERTIFICATES_PER_SECOND;
    ours.tell({ directoryUrl, rootsPath, directory, count, concurrency: 8, perSecond: CERTIFICATES_PER_SECOND });
    await ours.heard();
    return authority;
  })();
  const issue = async (): Promise<void> => {
    const authority = await prepared;
    const said = told.parse(await ours.heard());
    process.stderr.write(`ours: ${said.certificates} certificates meanwhile, in ${said.seconds.toFixed(1)} s\n`);
    await authority.stop();
  };
  return { begun: prepared, ended: issue() };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
