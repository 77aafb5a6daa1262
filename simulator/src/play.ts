/** Plays one scenario as the command line asks, shows how it goes, and leaves the reports that were asked for. */
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { SDK_VERSION } from '@lanyard/sdk';
import { LanyardError, randomHex, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { CryptoMode } from './gears/virtual/crypto.ts';
import { playVirtual } from './gears/virtual/play-virtual.ts';
import { playWall } from './gears/wall/play-wall.ts';
import type { ExistingBroker } from './gears/wall/wall-vendor.ts';
import { htmlReport } from './report/html/html-report.ts';
import { LiveView } from './report/live-view.ts';
import { checkDemands, jsonReport, summaryLine } from './report/result.ts';
import type { Result } from './report/result.ts';
import type { Snapshot } from './report/snapshot.ts';
import { findScenario, readExpectations } from './scenarios/catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';

export const GEARS = ['virtual', 'wall'] as const;
export type Gear = (typeof GEARS)[number];

/** What the command line says; what is left out is the scenario's. */
export interface PlayWish {
  readonly scenario: string;
  readonly gear?: Gear | undefined;
  readonly appliances?: number | undefined;
  /** Thrown, and told, when left out. */
  readonly seed?: number | undefined;
  readonly lengthMs?: number | undefined;
  readonly crypto: CryptoMode;
  readonly shards?: number | undefined;
  /** Only this appliance is switched on. */
  readonly only?: number | undefined;
  /** How many run the real SDK in the wall gear. */
  readonly sdk?: number | undefined;
  /** A broker that runs already, its admin API, and the file with the token. */
  readonly broker?: string | undefined;
  readonly admin?: string | undefined;
  readonly adminToken?: string | undefined;
  readonly metrics?: number | undefined;
  /** Files to write. */
  readonly report?: string | undefined;
  readonly json?: string | undefined;
  /** File with expectations in place of the scenario's own. */
  readonly expect?: string | undefined;
}

/** A wish with everything decided. */
interface Decided {
  readonly wish: PlayWish;
  readonly scenario: Scenario;
  readonly gear: Gear;
  readonly appliances: number;
  readonly seed: number;
  readonly lengthMs: number;
  readonly shards: number;
}

/**
 * @returns the exit code: 0 everything held, 1 something did not.
 * @throws LanyardError `config-unreadable` | `config-invalid` | `option-invalid`, and what ends a run.
 */
export async function play(wish: PlayWish, signal: AbortSignal): Promise<number> {
  const decided = decide(wish, await scenarioFor(wish));
  const result = await run(decided, signal);
  if (wish.report !== undefined) await writeFile(wish.report, htmlReport(result));
  if (wish.json !== undefined) await writeFile(wish.json, jsonReport(result));
  for (const line of complaintsOf(result)) process.stderr.write(`${line}\n`);
  process.stdout.write(`${summaryLine(result)}\n`);
  return result.isPassed ? 0 : 1;
}

async function scenarioFor(wish: PlayWish): Promise<Scenario> {
  const scenario = await findScenario(wish.scenario);
  const expect = wish.expect === undefined ? scenario.expect : await readExpectations(wish.expect);
  // Now, and not after an hour's run.
  checkDemands(expect.demands);
  return { ...scenario, expect };
}

function decide(wish: PlayWish, scenario: Scenario): Decided {
  const [first = 'virtual'] = scenario.gears;
  const gear = wish.gear ?? first;
  if (!scenario.gears.includes(gear)) {
    const message = `${scenario.name} plays in the gear ${scenario.gears.join(' or ')}, not in ${gear}`;
    throw new LanyardError('option-invalid', { message });
  }
  refuseMisplaced(wish, gear);
  const { appliances = scenario.appliances, lengthMs = scenario.for, only } = wish;
  if (only !== undefined && only >= appliances) {
    const message = `there is no appliance ${only} among ${appliances}: the first is 0`;
    throw new LanyardError('option-invalid', { message });
  }
  const seed = wish.seed ?? Number.parseInt(randomHex(systemRandom, 3), 16);
  // What is given must be possible; what only the scenario wishes gives way to a small fleet.
  const shards = wish.shards ?? Math.min(scenario.shards, appliances);
  return { wish, scenario, gear, appliances, seed, lengthMs, shards };
}

/** What one gear knows and the other would pass over in silence. */
const OF_ONE_GEAR = {
  virtual: ['shards', 'only'],
  wall: ['sdk', 'broker', 'admin', 'adminToken', 'metrics'],
} as const satisfies Readonly<Record<Gear, readonly (keyof PlayWish)[]>>;

function refuseMisplaced(wish: PlayWish, gear: Gear): void {
  const other = gear === 'wall' ? 'virtual' : 'wall';
  const misplaced = OF_ONE_GEAR[other].find((name) => wish[name] !== undefined);
  if (misplaced === undefined) return;
  const option = misplaced.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new LanyardError('option-invalid', { message: `--${option} has a meaning in the gear ${other} only` });
}

async function run(decided: Decided, signal: AbortSignal): Promise<Result> {
  const { wish, scenario, gear, appliances, lengthMs } = decided;
  let latest: (() => Snapshot) | undefined;
  const view = new LiveView({
    stream: process.stderr,
    clock: systemClock,
    snapshot: () => latest?.() ?? nothingYet(),
    title: `${scenario.name}, ${gear} gear, seed ${decided.seed}`,
    appliances,
    ...(gear === 'virtual' && { lengthMs }),
  });
  const onProgress = (snapshot: () => Snapshot): void => {
    latest = snapshot;
    view.tick();
  };
  const shared = {
    ...decided,
    version: SDK_VERSION,
    replay: replayOf(decided),
    onProgress,
    signal,
    clock: systemClock,
  };
  try {
    if (gear === 'virtual')
      return await playVirtual({ ...shared, source: wish.scenario, crypto: wish.crypto, only: wish.only });
    const { sdk, metrics: metricsPort } = wish;
    return await playWall({ ...shared, sdk, existing: await existingBroker(wish), metricsPort, onMetrics });
  } finally {
    if (latest) view.end();
  }
}

function onMetrics(url: string): void {
  process.stderr.write(`Prometheus reads ${url}\n`);
}

function nothingYet(): never {
  throw new LanyardError('internal', { message: 'nothing was measured yet' });
}

/** @throws LanyardError `option-invalid` | `config-unreadable`. */
async function existingBroker({ broker, admin, adminToken }: PlayWish): Promise<ExistingBroker | undefined> {
  if (broker === undefined) return undefined;
  if (admin === undefined || adminToken === undefined) {
    const message = '--broker needs --admin and --admin-token: the appliances have to be enrolled there';
    throw new LanyardError('option-invalid', { message });
  }
  const token = await readFile(adminToken, 'utf8').catch((cause: unknown) => {
    throw new LanyardError('config-unreadable', { message: `${adminToken} cannot be read`, cause });
  });
  return { broker, admin, adminToken: token.trim() };
}

function complaintsOf({ demands, violations }: Result): readonly string[] {
  const unmet = demands.filter(({ isMet }) => !isMet);
  const broken = violations.shown.filter(({ tolerated }) => tolerated === undefined);
  return [
    ...unmet.map(({ measure, foundText, wantedText }) => `not met: ${measure} is ${foundText}, wanted ${wantedText}`),
    ...broken.flatMap(({ detail, lastEvents, replay }) => [
      detail,
      ...lastEvents.map((line) => `  ${line}`),
      `  ${replay}`,
    ]),
  ];
}

function replayOf({ wish, gear, appliances, seed, shards }: Decided): string {
  const { scenario, crypto, lengthMs, only } = wish;
  const words = ['npx lanyard-simulator run', scenario, '--gear', gear, '--appliances', appliances, '--seed', seed];
  if (gear === 'virtual') words.push('--crypto', crypto);
  if (shards > 1) words.push('--shards', shards);
  if (lengthMs !== undefined) words.push('--for', `${lengthMs}ms`);
  if (only !== undefined) words.push('--only', only);
  return words.join(' ');
}
