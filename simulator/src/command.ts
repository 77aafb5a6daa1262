/** The command "lanyard-simulator": demo, scenarios, and a single pretend appliance. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { describeError, systemClock } from '@lanyard/sdk/kernel';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { Firmware } from './fleet/firmware.ts';
import { CRYPTO_MODES } from './gears/virtual/crypto.ts';
import { GEARS, play } from './play.ts';
import { describeDuration, durationMs } from './report/duration.ts';
import { storyteller } from './report/storyteller.ts';
import { table } from './report/table.ts';
import { shippedScenarios } from './scenarios/catalogue.ts';
import { demo, isComplete, linesToTry } from './scenarios/demo.ts';
import type { Town } from './scenarios/town.ts';
import { openTown } from './simulator.ts';

/** @returns the exit code: 0 all well, 1 something was not, 2 the command line was wrong. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = describeProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`lanyard-simulator: ${describeError(error)}\n`);
    return 1;
  }
}

function describeProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('lanyard-simulator')
    .description('Pretend appliances behind pretend NATs.')
    .exitOverride();
  program
    .command('demo')
    .description('from power-on to padlock, on embedded defaults')
    .option('--appliances <count>', 'how many', countFromOne, 25)
    .option('--seed <number>', 'lays out the same town again', count, 1)
    .option('--keep', 'leave everything running until Ctrl-C')
    .action(async (given: unknown) => setExitCode(await runDemo(given)));
  program
    .command('list')
    .description('the scenarios that come with the simulator')
    .action(() => listScenarios());
  program
    .command('run')
    .argument('<scenario>', 'name of a shipped scenario, or a file: YAML, or a module that exports one')
    .description('play a scenario; the last line on standard output is the result as JSON')
    .addOption(
      new Option('--gear <gear>', 'virtual time, or real sockets; the scenario’s first when left out').choices(GEARS),
    )
    .option('--appliances <count>', 'how many, instead of what the scenario says', countFromOne)
    .option('--seed <number>', 'the same world again; a new one when left out', count)
    .option('--for <duration>', 'how long, such as 400d', duration)
    .option('--until <duration>', 'end earlier, to look at a failure', duration)
    .option(
      '--shards <count>',
      'parts of the fleet, each with a thread, a broker, a zone and a CA account',
      countFromOne,
    )
    .option('--only <number>', 'switch on this appliance alone', count)
    .addOption(
      new Option('--crypto <mode>', 'how much of it in the virtual gear').choices(CRYPTO_MODES).default('stub'),
    )
    .option('--sdk <count>', 'how many run the real SDK in the wall gear; the others are light clients', count)
    .option('--broker <url>', 'mqtts://host:port of a broker that runs already, for the wall gear')
    .option('--admin <url>', 'its admin API')
    .option('--admin-token <file>', 'file with its token')
    .option('--metrics <port>', 'Prometheus endpoint on loopback while the wall gear runs', count)
    .option('--expect <file>', 'YAML with demands and tolerated invariants, instead of the scenario’s')
    .option('--report <file>', 'write an HTML page with charts')
    .option('--json <file>', 'write everything that was measured')
    .action(async (scenario: string, given: unknown) => setExitCode(await runScenario(scenario, given)));
  program
    .command('appliance')
    .description('one pretend appliance against any broker, until Ctrl-C')
    .requiredOption('--broker <url>', 'mqtts://host:port')
    .requiredOption(
      '--identity <directory>',
      'flash of the appliance: identity/ from `lanyard device enrol --out`, and the vault',
    )
    .option('--roots <file...>', 'PEM files with roots to trust instead of the system’s')
    .option('--port <port>', 'port of its web page', count, 8443)
    .option('--host <address>', 'address of its web page', '127.0.0.1')
    .action((given: unknown) => runAppliance(given));
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Three bytes, as a seed has that is thrown: it must be possible to say it again. Ports are looked at by whoever opens them. */
const HIGHEST_COUNT = 0xff_ff_ff;

function count(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > HIGHEST_COUNT)
    throw new InvalidArgumentError(`not a whole number up to ${HIGHEST_COUNT}`);
  return value;
}

function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('not a duration such as 90s, 15m, 6h, 30d, 8w');
  return ms;
}

function countFromOne(text: string): number {
  if (count(text) === 0) throw new InvalidArgumentError('there must be one at least');
  return count(text);
}

const demoOptions = z.object({ appliances: z.int().min(1), seed: z.int(), keep: z.boolean().optional() });

/** Sites hold two or three appliances each. */
const APPLIANCES_PER_SITE = 2.5;

async function runDemo(given: unknown): Promise<number> {
  const { appliances, seed, keep } = demoOptions.parse(given);
  const story = storyteller({ stream: process.stderr, clock: systemClock });
  const startMs = systemClock.monotonicMs();
  const afterwards = keep === true ? (town: Town) => keepRunning(town, story) : undefined;
  const happen = async (town: Town): Promise<number> => {
    const result = await demo(town, story);
    const seconds = Math.round((systemClock.monotonicMs() - startMs) / 100) / 10;
    process.stdout.write(`${JSON.stringify({ ...result, seconds })}\n`);
    return isComplete(result) ? 0 : 1;
  };
  return await inTown(appliances, seed, story, happen, afterwards);
}

const runOptions = z.object({
  gear: z.enum(GEARS).optional(),
  appliances: z.int().min(1).optional(),
  seed: z.int().optional(),
  for: z.number().optional(),
  until: z.number().optional(),
  only: z.int().optional(),
  shards: z.int().min(1).max(1_000).optional(),
  sdk: z.int().optional(),
  broker: z.string().optional(),
  admin: z.url().optional(),
  adminToken: z.string().optional(),
  metrics: z.int().max(65_535).optional(),
  crypto: z.enum(CRYPTO_MODES),
  expect: z.string().optional(),
  report: z.string().optional(),
  json: z.string().optional(),
});

async function runScenario(scenario: string, given: unknown): Promise<number> {
  const { for: lengthMs, until, ...wish } = runOptions.parse(given);
  const interrupted = new AbortController();
  void toldToStop().then(() => interrupted.abort());
  return await play({ scenario, ...wish, lengthMs: until ?? lengthMs }, interrupted.signal);
}

async function listScenarios(): Promise<void> {
  const scenarios = await shippedScenarios();
  const rows = scenarios.map(({ name, appliances, for: lengthMs, gears, about }) => [
    name,
    `${appliances} × ${describeDuration(lengthMs)}`,
    gears.join(', '),
    about,
  ]);
  for (const line of table([['scenario', 'size', 'gears', 'what'], ...rows])) process.stdout.write(`${line}\n`);
}

/** Builds a town, lets `happen` happen in it and cleans up, also after Ctrl-C. */
async function inTown(
  appliances: number,
  seed: number,
  story: ReturnType<typeof storyteller>,
  happen: (town: Town) => Promise<number>,
  afterwards?: (town: Town) => Promise<void>,
): Promise<number> {
  story.chapter('The vendor sets up');
  story.tell('a certificate authority, a broker with its private CA, and a factory');
  const onManufactured = (made: number): void => story.progress('appliances leave the factory', made, appliances);
  const sites = Math.ceil(appliances / APPLIANCES_PER_SITE);
  // Listened for from the start: whoever interrupts the setting up wants it cleaned up as well.
  const interrupted = toldToStop();
  const town = await openTown({ appliances, sites, seed, onManufactured });
  try {
    const exitCode = await Promise.race([happen(town), interrupted]);
    if (exitCode === 0) await afterwards?.(town);
    return exitCode;
  } finally {
    await town.close();
  }
}

async function keepRunning(town: Town, story: ReturnType<typeof storyteller>): Promise<void> {
  const rootPath = join(town.directory, 'browser-root.pem');
  await writeFile(rootPath, town.authority.rootPem);
  story.show(['', ...linesToTry(town, rootPath)]);
  await toldToStop();
}

const applianceOptions = z.object({
  broker: z.string(),
  identity: z.string(),
  roots: z.array(z.string()).optional(),
  port: z.int(),
  host: z.string(),
});

async function runAppliance(given: unknown): Promise<void> {
  const { broker, identity, roots, host, port } = applianceOptions.parse(given);
  const story = storyteller({ stream: process.stderr, clock: systemClock });
  const trustedRoots = roots && (await Promise.all(roots.map((path) => readFile(path, 'utf8'))));
  const firmware = new Firmware({
    flash: identity,
    broker,
    web: { host, port },
    ...(trustedRoots && { trustedRoots }),
  });
  firmware.watch((kind, fact) =>
    story.tell(`${kind}: ${fact instanceof Error ? describeError(fact) : JSON.stringify(fact)}`),
  );
  await firmware.boot();
  story.tell(`web page on https://${host}:${firmware.port}/`);
  await toldToStop();
  await firmware.shutDown();
}

/** @returns the exit code that a shell expects after the signal: 128 and its number. */
async function toldToStop(): Promise<number> {
  const interrupted = once(process, 'SIGINT').then(() => 130);
  const terminated = once(process, 'SIGTERM').then(() => 143);
  return await Promise.race([interrupted, terminated]);
}
