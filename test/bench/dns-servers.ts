/** DNS servers as processes of their own, all with the same zone on a loopback port: ours, Knot, PowerDNS. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { systemClock, sleep } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { buildQuery } from '../../broker/src/dns/example-query.ts';
import { peer } from '../support/peers.ts';
import { ZONE } from './dns-board.ts';

export interface DnsServerProcess {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first answer. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface OurServerProcess extends DnsServerProcess {
  tell(task: object): void;
  /** The next line that it says. */
  heard(): Promise<unknown>;
}

const TYPE_SOA = 6;
/** A zone of a million names on a busy machine. */
const READY_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 20;

/** @param directory with the database. */
export async function startOurs(directory: string): Promise<OurServerProcess> {
  const startMs = performance.now();
  const script = new URL('dns-ours.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...process.execArgv, script, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const heard = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null');
  const { port } = z.object({ port: z.number() }).parse(await heard());
  await untilAnswered(port);
  const tell = (task: object): void => void child.stdin.write(`${JSON.stringify(task)}\n`);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { pid: child.pid ?? 0, port, readyMs: performance.now() - startMs, tell, heard, stop };
}

/** With one thread that answers, which is what we have. */
export async function startKnot(directory: string, zoneFile: string): Promise<DnsServerProcess> {
  const port = await freePort();
  const home = await homeIn(directory, 'knot');
  const settings = `
server:
  rundir: ${home}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${home}
log:
- target: stderr
  any: error
zone:
- domain: ${ZONE}
  file: ${zoneFile}
  storage: ${home}
  zonefile-sync: -1
`;
  await writeFile(join(home, 'knot.conf'), settings);
  return await startProgram('knotd', ['-c', join(home, 'knot.conf')], port);
}

/** As it comes: one thread receives and, with this backend, answers. */
export async function startPowerDns(directory: string, zoneFile: string): Promise<DnsServerProcess> {
  const port = await freePort();
  const home = await homeIn(directory, 'powerdns');
  const zones = `zone "${ZONE}" { type master; file "${zoneFile}"; };\n`;
  const settings = `
launch=bind
bind-config=${home}/zones.conf
local-address=127.0.0.1
local-port=${port}
socket-dir=${home}
loglevel=3
`;
  await writeFile(join(home, 'zones.conf'), zones);
  await writeFile(join(home, 'pdns.conf'), settings);
  return await startProgram('pdns_server', [`--config-dir=${home}`, '--daemon=no', '--guardian=no'], port);
}

async function homeIn(directory: string, name: string): Promise<string> {
  const home = join(directory, name);
  await mkdir(home);
  return home;
}

async function startProgram(program: string, given: readonly string[], port: number): Promise<DnsServerProcess> {
  const startMs = performance.now();
  const child = spawn(peer(program), given, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  await untilAnswered(port);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { pid: child.pid ?? 0, port, readyMs: performance.now() - startMs, stop };
}

/** Asks until something with records comes back: a server that still loads its zone refuses, or says nothing. */
async function untilAnswered(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  const answered = new Promise<boolean>((resolve) => {
    socket.on('message', (message) => {
      if (message.readUInt16BE(6) > 0) resolve(true);
    });
  });
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS; waitedMs += ASK_EVERY_MS) {
    socket.send(buildQuery(ZONE, TYPE_SOA), port, '127.0.0.1');
    if (await Promise.race([answered, pause()])) return void socket.close();
  }
  throw new Error(`nobody answers on port ${port}`);
}

async function pause(): Promise<boolean> {
  await sleep(systemClock, ASK_EVERY_MS);
  return false;
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
