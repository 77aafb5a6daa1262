/** CertMagic and lego as Go libraries (peers/): one process with one account, and the same DNS, which it changes by HTTP. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MemoryZoneJournal } from '../../broker/src/dns/memory-zone-journal.ts';
import { peer } from '../support/peers.ts';
import { serveRecordChanges } from '../support/record-changes.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import type { Contender, Task } from './contender.ts';
import { startDnsBoard, ZONE } from './dns-board.ts';
import { cpuMsOf } from './process-cpu.ts';

const SOURCES = new URL('peers', import.meta.url).pathname;
/** The first time, Go fetches and compiles its packages. */
const BUILD_MS = 600_000;

export type GoLibrary = 'certmagic' | 'lego';

export async function goContender(library: GoLibrary): Promise<Contender> {
  const board = await startDnsBoard(new MemoryZoneJournal());
  const changes = await serveRecordChanges(board.zones);
  let program: Program | undefined;
  return {
    nameServer: board.address,
    async prepare(task) {
      program = await startProgram([await build(task.directory), '-library', library], task, changes.url);
    },
    race: async (onCertificate) => await program?.race(onCertificate),
    // Only its own: the DNS server in this process is not counted, unlike ours.
    cpuMs: async () => (program === undefined ? 0 : await cpuMsOf(program.pid)),
    async stop() {
      program?.stop();
      changes.stop();
      await board.stop();
    },
  };
}

async function build(directory: string): Promise<string> {
  const binary = join(directory, 'peers');
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-o', binary, '.'];
  succeeded(await runToEnd(peer('go'), args, { cwd: SOURCES, timeoutMs: BUILD_MS }));
  return binary;
}

interface Program {
  readonly pid: number;
  race(onCertificate: () => void): Promise<void>;
  stop(): void;
}

/** Comes back when it has its account and its keys. */
async function startProgram(
  [binary = '', ...chosen]: readonly string[],
  task: Task,
  recordsUrl: string,
): Promise<Program> {
  const { directoryUrl, rootsPath, directory, count, concurrency } = task;
  const files = ['-roots', rootsPath, '-storage', join(directory, 'storage')];
  const places = ['-directory-url', directoryUrl, '-records-url', recordsUrl, '-zone', ZONE];
  const numbers = ['-count', String(count), '-concurrency', String(concurrency)];
  const child = spawn(binary, [...chosen, ...files, ...places, ...numbers], { stdio: ['pipe', 'pipe', 'inherit'] });
  // When it ends early, what it last said tells more than a broken pipe.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const expect = async (word: string): Promise<void> => {
    const { value } = await lines.next();
    if (value !== word) throw new Error(`it said ${value} instead of ${word}`);
  };
  await expect('ready');
  return {
    pid: child.pid ?? 0,
    async race(onCertificate) {
      child.stdin.write('start\n');
      for (let certificates = 0; certificates < count; certificates++) {
        await expect('certificate');
        onCertificate();
      }
    },
    stop: () => child.stdin.end(),
  };
}
