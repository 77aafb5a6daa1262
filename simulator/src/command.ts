/** The command "lanyard-simulator": demo, scenarios, and a single pretend appliance. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { describeError, systemClock } from '@lanyard/sdk/kernel';
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { Firmware } from './fleet/firmware.ts';
import { storyteller } from './report/storyteller.ts';
import { demo, isComplete, linesToTry } from './scenarios/demo.ts';
import { firstBoot } from './scenarios/first-boot.ts';
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
    .command('run')
    .addArgument(new Argument('<scenario>', 'what happens').choices(['first-boot']))
    .description('a scenario on real sockets; the result is one line of JSON')
    .option('--appliances <count>', 'how many', countFromOne, 500)
    .option('--seed <number>', 'lays out the same town again', count, 1)
    .action(async (_scenario: string, given: unknown) => setExitCode(await runFirstBoot(given)));
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

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('not a whole number up to 65535');
  return value;
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

async function runFirstBoot(given: unknown): Promise<number> {
  const { appliances, seed } = demoOptions.parse(given);
  const story = storyteller({ stream: process.stderr, clock: systemClock });
  return await inTown(appliances, seed, story, async (town) => {
    const result = await firstBoot(town, story, systemClock);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.padlocks === result.appliances ? 0 : 1;
  });
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
