/** lego, the program: a process for every certificate, with a hook script that changes the same DNS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChallengeHook } from '../support/challenge-hook.ts';
import { peer } from '../support/peers.ts';
import { runToEnd } from '../support/run-to-end.ts';
import type { Contender, Task } from './contender.ts';
import { ZONE } from './dns-board.ts';
import { childrensCpuMs } from './process-cpu.ts';

/** An account for each worker, then certificates. */
interface Worker {
  register(): Promise<void>;
  certify(name: string): Promise<void>;
}

export async function legoContender(directory: string): Promise<Contender> {
  const hook = await startChallengeHook(ZONE, directory);
  let workers: readonly Worker[] = [];
  let names: readonly string[] = [];
  return {
    nameServer: hook.nameServer,
    async prepare(task) {
      workers = await Promise.all(
        Array.from({ length: task.concurrency }, (_, index) => legoWorker(task, hook.script, index)),
      );
      await Promise.all(workers.map((worker) => worker.register()));
      names = Array.from({ length: task.count }, (_, index) => `lego-${index}.${ZONE}`);
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

/** A second try, since Pebble now and then never answers one of several clients that finalize at the same moment. */
async function succeed(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const first = await runToEnd(program, args, { env });
  if (first.code === 0) return;
  const second = await runToEnd(program, args, { env });
  if (second.code !== 0) throw new Error(`${first.report}\n${second.report}`);
}
