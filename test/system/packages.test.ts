/** The packages as their users get them: packed, installed elsewhere, and run on every Node that they promise. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../simulator/src/world/free-port.ts';
import { prepareFlash } from '../support/prepared-flash.ts';
import { Program, runProgram } from '../support/program.ts';

const repository = new URL('../..', import.meta.url).pathname;
const script = new URL('../support/answer-once.mjs', import.meta.url).pathname;
const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
/** What the SDK promises; the oldest is also what the broker must refuse. */
const OLDEST = 20;
const NODE_VERSIONS = [OLDEST, 24, 26] as const;

let directory: string;
/** Where the three packages are installed. */
let project: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lanyard-packages-'));
  project = join(directory, 'project');
  await runProgram({ command: 'npm', args: ['run', 'build'], directory: repository });
  const packing = ['pack', '--workspaces', '--pack-destination', directory];
  await runProgram({ command: 'npm', args: packing, directory: repository });
  const tarballs = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
  await makeProject(project);
  const paths = tarballs.map((name) => join(directory, name));
  await runProgram({ command: 'npm', args: [...INSTALL, ...paths], directory: project });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the installed broker', () => {
  test('says its version', async () => {
    const { stdout } = await lanyard(['--version']);
    expect(stdout).toEqual(['0.1.0']);
  });

  test('makes its settings, serves, and stops when it is told', async () => {
    const home = await mkdtemp(join(directory, 'broker-'));
    const config = join(home, 'lanyard.yaml');
    const ports = [await freePort(), await freePort(), await freePort()];
    const listen = ['--mqtt-host', '127.0.0.1', '--mqtt-port', `${ports[0]}`, '--dns-listen', `127.0.0.1:${ports[1]}`];
    const settings = ['--zone', 'devices.example.com', '--broker-name', '127.0.0.1', '--admin-port', `${ports[2]}`];
    // Nobody is there: a CA that cannot be reached does not keep the broker from starting.
    const nobody = ['--ca', 'https://127.0.0.1:1/directory'];
    await lanyard(['--config', config, 'init', ...settings, ...listen, ...nobody]);
    expect((await stat(join(home, 'data', 'private-ca.key'))).mode & 0o777).toBe(0o600);

    const serving = npx(['lanyard', '--config', config, 'serve']);
    onTestFinished(() => serving.signalAll('SIGKILL'));
    expect(await serving.line(/^ready/)).toContain(`MQTT on port ${ports[0]}`);
    const enrolled = await lanyard([
      '--config',
      config,
      'device',
      'enrol',
      'packed-0001',
      '--out',
      join(home, 'flash'),
    ]);
    expect(enrolled.said()).toMatch(/packed-0001 is [a-z0-9]+\.devices\.example\.com/);
    serving.signalAll('SIGTERM');
    await serving.ended;
    expect(await serving.survivors()).toEqual([]);
  });

  test('refuses an older Node, and says which one it needs', async () => {
    const node = await nodeOf(OLDEST);
    const program = new Program({
      command: node,
      args: ['node_modules/.bin/lanyard', '--version'],
      directory: project,
    });
    expect(await program.ended).toMatchObject({ code: 1 });
    expect(program.stderr).toEqual([expect.stringMatching(/Node 24\.15 or later.*\[node-too-old\]$/)]);
  });
});

test('the installed simulator plays its demo', async () => {
  const { stdout } = await toItsEnd(npx(['lanyard-simulator', 'demo', '--appliances', '3']));
  expect(JSON.parse(stdout.at(-1) ?? '')).toMatchObject({ appliances: 3, certified: 3, padlocks: 3 });
});

describe.each(NODE_VERSIONS)('the SDK on Node %i', (version) => {
  test('answers over HTTPS at first boot, offline, with a certificate of its own', async () => {
    const answer = await answerOnce(version, project, '@lanyard/sdk');
    expect(answer).toMatchObject({ body: 'hello', isSelfSigned: true });
    expect(answer).toMatchObject({ node: expect.stringMatching(new RegExp(`^${version}\\.`)) });
  });

  test('does so as one file without any npm package beside it', async () => {
    const alone = await mkdtemp(join(directory, 'alone-'));
    await copyFile(join(project, 'node_modules/@lanyard/sdk/dist/bundle.js'), join(alone, 'bundle.mjs'));
    expect(await answerOnce(version, alone, './bundle.mjs')).toMatchObject({ body: 'hello', isSelfSigned: true });
  });

  test('shows the certificate that its vault holds', async () => {
    const answer = await answerOnce(version, project, '@lanyard/sdk', { hasCertificate: true });
    expect(answer).toMatchObject({ body: 'hello', isSelfSigned: false });
  });
});

async function answerOnce(
  version: number,
  home: string,
  sdk: string,
  { hasCertificate } = { hasCertificate: false },
): Promise<unknown> {
  const flash = await mkdtemp(join(directory, 'flash-'));
  const { identity, vault, rootPem } = await prepareFlash(flash, { hasCertificate });
  const rootPath = join(flash, 'root.pem');
  await writeFile(rootPath, rootPem);
  // Beside what it imports, so that this Node finds it.
  await copyFile(script, join(home, 'answer-once.mjs'));
  const trust = hasCertificate ? [rootPath] : [];
  const args = ['answer-once.mjs', sdk, identity, vault, ...trust];
  const { stdout } = await runProgram({ command: await nodeOf(version), args, directory: home });
  return JSON.parse(stdout.at(-1) ?? '');
}

/** A Node of this major version: the one that runs this test, the machine's, or the npm package `node`. */
async function nodeOf(version: number): Promise<string> {
  if (process.versions.node.startsWith(`${version}.`)) return process.execPath;
  const home = join(directory, `node-${version}`);
  const command = join(home, 'node_modules/node/bin/node');
  if (!(await exists(command))) {
    await makeProject(home);
    await runProgram({ command: 'npm', args: [...INSTALL, `node@${version}`], directory: home });
  }
  return command;
}

function lanyard(args: readonly string[]): Promise<Program> {
  return toItsEnd(npx(['lanyard', ...args]));
}

async function toItsEnd(program: Program): Promise<Program> {
  onTestFinished(() => program.signalAll('SIGKILL'));
  const { code } = await program.ended;
  if (code !== 0) throw new Error(`ended with ${code}:\n${program.said()}`);
  return program;
}

/** What is installed, never what a registry might have under that name; on the Node that runs this test. */
function npx(args: readonly string[]): Program {
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const environment = { ...process.env, PATH: path };
  return new Program({ command: 'npx', args: ['--no-install', ...args], directory: project, environment });
}

async function makeProject(path: string): Promise<void> {
  await mkdir(path);
  const text = await readFile(join(repository, '.npmrc'), 'utf8');
  await writeFile(join(path, '.npmrc'), text);
  await writeFile(join(path, 'package.json'), JSON.stringify({ name: 'elsewhere', private: true, type: 'module' }));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
