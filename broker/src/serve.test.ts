import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toldToStop } from './serve.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lanyard-serve-'));
  const addresses = ['--mqtt-host', '127.0.0.1', '--dns-listen', '127.0.0.1:0', '--broker-name', '127.0.0.1'];
  const zone = ['--zone', 'devices.example.com', '--name-server', 'ns1.example.net=192.0.2.1'];
  await run('init', ...zone, ...addresses, '--ca', 'https://127.0.0.1:9/directory');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** What a command came to; `exitCode` is null of one that had to be killed. */
function run(...args: readonly string[]): Promise<{ readonly exitCode: unknown; readonly said: string }> {
  return new Promise((resolve) => {
    const command = ['--conditions=lanyard-source', MAIN, ...args];
    execFile(process.execPath, command, { cwd: folder, timeout: 15_000, killSignal: 'SIGKILL' }, (error, _out, said) =>
      resolve({ exitCode: error ? error.code : 0, said }),
    );
  });
}

describe('a broker that cannot start ends, so that a service manager starts it again', () => {
  test('when its database is not its own', async () => {
    const database = new DatabaseSync(join(folder, 'data', 'lanyard.sqlite'));
    database.exec('CREATE TABLE other (x)');
    database.close();
    expect(await run('serve')).toEqual({ exitCode: 1, said: expect.stringContaining('[store-failed]') });
  });

  test('when a file that its settings name is missing', async () => {
    const path = join(folder, 'lanyard.yaml');
    const settings = await readFile(path, 'utf8');
    await writeFile(path, settings.replace(/^acme:$/m, 'acme:\n  roots: missing.pem'));
    expect(await run('serve')).toEqual({ exitCode: 1, said: expect.stringContaining('[config-unreadable]') });
  });
});

test('a part that died before the broker was ready is not waited for', async () => {
  await expect(toldToStop(AbortSignal.abort())).resolves.toBeUndefined();
});
