/** OpenSSL's command as a second opinion. Only for tests. */
import { spawnSync } from 'node:child_process';

/** Whether there is an `openssl` at all. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** What `openssl` printed, good or bad, and whether it was content. */
export function openssl(input: Uint8Array | string, ...args: readonly string[]): { isOk: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, timeout: 20_000 });
  return { isOk: status === 0, output: `${stdout.toString('utf8')}${stderr.toString('utf8')}` };
}
