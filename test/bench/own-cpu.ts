/** CPU time of this process with all its threads. */
import process from 'node:process';

export function ownCpuMs(): Promise<number> {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return Promise.resolve((userCPUTime + systemCPUTime) / 1000);
}
