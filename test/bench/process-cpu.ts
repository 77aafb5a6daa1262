/** CPU time of other processes, from /proc, where Linux counts it in hundredths of a second (getconf CLK_TCK). */
import { readFile } from 'node:fs/promises';

const TICK_MS = 10;

/** User and system time of a process that runs, with all its threads: proc(5), utime and stime. */
export async function cpuMsOf(pid: number): Promise<number> {
  return await sumOfFields(String(pid), 14, 15);
}

/** User and system time of every child that has ended, its own children included: proc(5), cutime and cstime. */
export async function childrensCpuMs(): Promise<number> {
  return await sumOfFields('self', 16, 17);
}

async function sumOfFields(process: string, user: number, system: number): Promise<number> {
  const stat = await readFile(`/proc/${process}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // The state, field 3, is the first after the name.
  return (Number(fields[user - 3]) + Number(fields[system - 3])) * TICK_MS;
}
