/** The demo as its readers run it: `npm run demo`, to its end and interrupted. */
import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Program } from '../support/program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** On a machine that has other things to do, too. */
vi.setConfig({ testTimeout: 120_000 });

const repository = new URL('../..', import.meta.url).pathname;

test('npm run demo takes every appliance to its padlock and leaves nothing behind', async () => {
  await using temporary = await temporaryDirectory();
  const program = startDemo(6, temporary.path);

  expect(await program.ended).toEqual({ code: 0, signal: null });
  const result: unknown = JSON.parse(program.stdout.at(-1) ?? '');
  expect(result).toEqual({
    appliances: 6,
    named: 6,
    certified: 6,
    padlocks: 6,
    moved: 3,
    renewed: 3,
    seconds: expect.any(Number),
  });
  expect(await leftIn(temporary.path)).toEqual([]);
  expect(await program.survivors()).toEqual([]);
});

test.each([
  ['while appliances ask for their certificates', /Power on/],
  ['while visitors open pages', /Visitors/],
  ['while the broker is away', /the broker is killed/],
])('Ctrl-C %s ends the demo and cleans up as well', async (_when, moment) => {
  await using temporary = await temporaryDirectory();
  const program = startDemo(6, temporary.path);

  await program.line(moment);
  program.signalAll('SIGINT');
  // Its streams close with the last of its family: what npm itself makes of the signal says nothing.
  await program.ended;

  expect(await leftIn(temporary.path)).toEqual([]);
  expect(await program.survivors()).toEqual([]);
});

test('a signal to the demo alone ends its broker, too', async () => {
  await using temporary = await temporaryDirectory();
  const args = ['--conditions=lanyard-source', 'simulator/src/main.ts', 'demo', '--appliances', '4'];
  const environment = { ...process.env, TMPDIR: temporary.path };
  const program = start(process.execPath, args, environment);

  await program.line(/Power on/);
  program.signal('SIGINT');

  expect(await program.ended).toEqual({ code: 130, signal: null });
  expect(await leftIn(temporary.path)).toEqual([]);
  expect(await program.survivors()).toEqual([]);
});

function startDemo(appliances: number, temporaryPath: string): Program {
  const args = ['run', '--silent', 'demo', '--', '--appliances', String(appliances)];
  const environment = { ...process.env, TMPDIR: temporaryPath };
  return start('npm', args, environment);
}

function start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Program {
  const program = new Program({ command, args, directory: repository, environment });
  onTestFinished(() => program.signalAll('SIGKILL'));
  return program;
}

/** npm keeps its compile cache there; that is not ours. */
async function leftIn(path: string): Promise<readonly string[]> {
  return (await readdir(path)).filter((name) => name !== 'node-compile-cache');
}
