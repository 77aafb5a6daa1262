/** The model CA as a CA to be measured against, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { CaProcess } from './pebble-process.ts';

/** @param directory where its files may lie. */
export async function startModelCaProcess(
  directory: string,
  nameServer: { readonly host: string; readonly port: number },
): Promise<CaProcess> {
  const rootsPath = join(directory, 'model-ca-root.pem');
  const script = new URL('model-ca.ts', import.meta.url).pathname;
  const given = [rootsPath, nameServer.host, String(nameServer.port)];
  const child = spawn(process.execPath, [...process.execArgv, script, ...given], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const { value: directoryUrl = '' } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (directoryUrl === '') throw new Error('the model CA ended while starting');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { directoryUrl, rootsPath, stop };
}
