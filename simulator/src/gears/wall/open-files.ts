/** Whether a process may hold as many connections as a run needs. Node itself goes up to the hard limit at its start. */
import process from 'node:process';
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';

/** What a Node process has open besides: code, database, pipes, its threads' event queues, the name server's sockets. */
const BESIDES = 200;

const report = z.object({
  userLimits: z.object({ open_files: z.object({ soft: z.union([z.number(), z.literal('unlimited')]) }) }),
});

/** Infinity where there is none, or none that can be found out. */
export function openFilesLimit(): number {
  if (process.platform === 'win32') return Infinity;
  // Otherwise it would look up the names of every address of the machine.
  Object.assign(process.report, { excludeNetwork: true });
  const parsed = report.safeParse(process.report.getReport());
  const soft = parsed.success ? parsed.data.userLimits.open_files.soft : 'unlimited';
  return soft === 'unlimited' ? Infinity : soft;
}

/**
 * @param who for instance `the broker`.
 * @throws LanyardError `option-invalid`, saying what is needed and how to get it.
 */
export function demandOpenFiles(who: string, connections: number, limit = openFilesLimit()): void {
  const needed = connections + BESIDES;
  if (needed <= limit) return;
  throw new LanyardError('option-invalid', {
    message:
      `${who} needs ${needed} open files, and here a process may have ${limit}. Raise the limit before the start: ` +
      `\`ulimit -n ${needed}\` in the shell, LimitNOFILE=${needed} in a systemd unit, --ulimit nofile=${needed} for a ` +
      'container; or take fewer appliances',
  });
}
