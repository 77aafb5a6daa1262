/** lego and uacme: a process for every certificate, with a hook script that changes the same DNS. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChallengeHook } from '../support/challenge-hook.ts';
import { peer } from '../support/peers.ts';
import { runToEnd } from '../support/run-to-end.ts';
import type { Contender, Task } from './contender.ts';
import { ZONE } from './dns-board.ts';

type ProgramName = 'lego' | 'uacme';

/** What the programs are, seen from the race: an account for each worker, then certificates. */
interface Worker {
  register(): Promise<void>;
  certify(name: string): Promise<void>;
}

/** Where Debian's libcurl for GnuTLS looks, whatever its environment says. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';
/** Linux counts the time of children in hundredths of a second (getconf CLK_TCK). */
const TICK_MS = 10;

export async function programContender(program: ProgramName, directory: string): Promise<Contender> {
  const hook = await startChallengeHook(ZONE, directory);
  let workers: readonly Worker[] = [];
  let names: readonly string[] = [];
  return {
    nameServer: hook.nameServer,
    async prepare(task) {
      const make = program === 'lego' ? legoWorker : uacmeWorker;
      workers = await Promise.all(
        Array.from({ length: task.concurrency }, (_, index) => make(task, hook.script, index)),
      );
      await Promise.all(workers.map((worker) => worker.register()));
      names = Array.from({ length: task.count }, (_, index) => `${program}-${index}.${ZONE}`);
    },
    async race(onCertificate) {
      const queue = names.values();
      const work = async (worker: Worker): Promise<void> => {
        for (const name of queue) {
          await worker.certify(name);
          onCertificate();
        }
      };
      await Promise.all(workers.map(work));
    },
    cpuMs: childrensCpuMs,
    stop: () => hook.stop(),
  };
}

async function legoWorker(
  { directoryUrl, directory, rootsPath }: Task,
  script: string,
  index: number,
): Promise<Worker> {
  const path = join(directory, `lego-${index}`);
  const adapter = join(directory, `lego-hook-${index}`);
  // lego says "present" and "cleanup" (github.com/go-acme/lego, providers/dns/exec).
  const text = `#!/bin/sh\ncase $1 in present) set -- put "$2" "$3" ;; *) set -- clear "$2" "$3" ;; esac\nexec ${script} "$@"\n`;
  await writeFile(adapter, text, { mode: 0o700 });
  const environment = { LEGO_CA_CERTIFICATES: rootsPath, EXEC_PATH: adapter, EXEC_POLLING_INTERVAL: '1' };
  const certify = async (name: string): Promise<void> => {
    const common = ['--accept-tos', '--email', 'nobody@lanyard.test', '--path', path, '--server', directoryUrl];
    const wish = ['--domains', name, '--key-type', 'ec256', '--dns', 'exec', '--dns.disable-cp', 'run'];
    await succeed(peer('lego'), [...common, ...wish], environment);
  };
  // It registers with its first certificate, which does not count.
  return { register: () => certify(`lego-first-${index}.${ZONE}`), certify };
}

async function uacmeWorker(
  { directoryUrl, directory, rootsPath }: Task,
  script: string,
  index: number,
): Promise<Worker> {
  const home = join(directory, `uacme-${index}`);
  const adapter = join(directory, `uacme-hook-${index}`);
  await mkdir(home, { mode: 0o700 });
  // A hook that fails declines a kind of challenge, and the next one is offered (uacme(1), HOOK).
  const text = `#!/bin/sh\n[ "$2" = dns-01 ] || exit 1\n[ "$1" = begin ] && action=put || action=clear\nexec ${script} "$action" "_acme-challenge.$3" "$5"\n`;
  await writeFile(adapter, text, { mode: 0o700 });
  const run = async (...args: readonly string[]): Promise<void> => {
    // In a mount namespace of its own: nobody else sees the changed roots.
    const bind = `mount --bind "$1" ${SYSTEM_ROOTS} && shift && exec "$@"`;
    const program = [peer('uacme'), '-c', home, '-a', directoryUrl, '-y', '-t', 'EC', ...args];
    await succeed(peer('unshare'), ['--mount', 'sh', '-c', bind, 'sh', rootsPath, ...program]);
  };
  return { register: () => run('new'), certify: (name) => run('-h', adapter, 'issue', name) };
}

/** A second try, since Pebble now and then never answers one of several clients that finalize at the same moment. */
async function succeed(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const first = await runToEnd(program, args, { env });
  if (first.code === 0) return;
  const second = await runToEnd(program, args, { env });
  if (second.code !== 0) throw new Error(`${first.report}\n${second.report}`);
}

/** User and system time of every child that has ended, its own children included: proc(5), cutime and cstime. */
async function childrensCpuMs(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // They are fields 16 and 17; the state, field 3, is the first here.
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}
