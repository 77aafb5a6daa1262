/** The operator's command, run from the sources as its users run it: in a process of its own. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Vendor } from '@lanyard/simulator';
import { runToEnd } from './run-to-end.ts';
import type { Ended } from './run-to-end.ts';

const MAIN = fileURLToPath(new URL('../../broker/src/main.ts', import.meta.url));

/** Program and arguments that stand before a command such as `device list`. */
export function lanyardCommand({ broker }: Vendor): readonly [string, ...string[]] {
  return [process.execPath, '--conditions=lanyard-source', MAIN, '--config', broker.settingsPath];
}

export async function lanyard(vendor: Vendor, ...args: readonly string[]): Promise<Ended> {
  const [program, ...before] = lanyardCommand(vendor);
  return await runToEnd(program, [...before, ...args]);
}
