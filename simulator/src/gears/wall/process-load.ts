/** What a process costs: memory and processor time, as Linux tells them; nothing elsewhere. */
import { readFile } from 'node:fs/promises';

export interface ProcessLoad {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

/** sysconf(_SC_CLK_TCK): the unit of the times in /proc, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Undefined when there is no such process, or no such system. */
export async function loadOf(pid: number): Promise<ProcessLoad | undefined> {
  const files = [readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')] as const;
  const [stat, status] = await Promise.all(files).catch(() => [undefined, undefined]);
  if (stat === undefined || status === undefined) return undefined;
  const rssKb = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  if (rssKb === undefined) return undefined;
  // proc_pid_stat(5): the name in brackets may hold anything; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { rssBytes: Number(rssKb) * 1024, cpuSeconds: ticks / TICKS_PER_SECOND };
}
