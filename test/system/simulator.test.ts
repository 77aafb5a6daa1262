/** The simulator's commands as their readers type them. */
import { request } from 'node:https';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { openVendor } from '@lanyard/simulator';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lanyard } from '../support/lanyard-command.ts';
import { arePeersMissing } from '../support/peers.ts';
import { Program } from '../support/program.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

const repository = new URL('../..', import.meta.url).pathname;

test('a lone appliance gets its certificate from a broker that knows nothing of the simulator', async () => {
  const vendor = await openVendor();
  onTestFinished(() => vendor.close());
  await using temporary = await temporaryDirectory();
  const identity = join(temporary.path, 'identity');
  const roots = join(temporary.path, 'roots.pem');
  await writeFile(roots, vendor.authority.rootPem);
  succeeded(await lanyard(vendor, 'device', 'enrol', 'lonely-appliance', '--out', identity));

  const broker = `mqtts://${vendor.door.host}:${vendor.door.port}`;
  const where = ['--broker', broker, '--identity', temporary.path, '--roots', roots, '--port', '0'];
  const program = simulator('appliance', ...where);
  const [, port = ''] = /127\.0\.0\.1:(\d+)/.exec(await program.line(/web page on/)) ?? [];
  await program.line(/^.*certificate: .*notAfterMs/);

  const view = await vendor.admin.get('/v1/appliances/lonely-appliance');
  const name = nameIn(view);
  expect(await pageOf(name, Number(port), vendor.authority.rootPem)).toContain(name);
  program.signal('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

test.skipIf(arePeersMissing('dig', 'curl'))('the lines that a kept demo prints work as they are', async () => {
  await using temporary = await temporaryDirectory();
  const program = simulatorIn(temporary.path, 'demo', '--appliances', '3', '--keep');
  await program.line(/Ctrl-C ends it/);
  const lines = program.stderr.filter((line) => /^ {2}(dig|curl|npx) /.test(line)).map((line) => line.trim());

  const said = await Promise.all(lines.map((line) => runToEnd('bash', ['-c', `cd ${repository} && ${line}`])));

  expect(lines).toHaveLength(3);
  expect(said.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(said[0]?.stdout).toMatch(/status: NOERROR/);
  expect(said[1]?.stdout).toContain('<h1>pretend-0001');
  expect(said[2]?.stdout.match(/certified until/g)).toHaveLength(3);
  program.signal('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
  expect(await program.survivors()).toEqual([]);
});

function simulator(...args: readonly string[]): Program {
  return simulatorIn(undefined, ...args);
}

function simulatorIn(temporaryPath: string | undefined, ...args: readonly string[]): Program {
  const environment = { ...process.env, ...(temporaryPath !== undefined && { TMPDIR: temporaryPath }) };
  const command = ['--conditions=lanyard-source', 'simulator/src/main.ts', ...args];
  const program = new Program({ command: process.execPath, args: command, directory: repository, environment });
  onTestFinished(() => program.signalAll('SIGKILL'));
  return program;
}

function nameIn(view: unknown): string {
  return typeof view === 'object' && view !== null && 'name' in view ? String(view.name) : '';
}

async function pageOf(name: string, port: number, ca: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, servername: name, ca }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    });
    call.once('error', reject).end();
  });
}
