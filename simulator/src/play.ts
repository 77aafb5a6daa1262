/** Plays one scenario as the command line asks, shows how it goes, and leaves the reports that were asked for. */
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { SDK_VERSION } from '@lanyard/sdk';
import { LanyardError, randomHex, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import type { CryptoMode } from './gears/virtual/crypto.ts';
import { playVirtual } from './gears/virtual/play-virtual.ts';
import { htmlReport } from './report/html/html-report.ts';
import { checkDemands, jsonReport, summaryLine } from './report/result.ts';
import type { Result } from './report/result.ts';
import type { Snapshot } from './report/snapshot.ts';
import { findScenario, readExpectations } from './scenarios/catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';

export const GEARS = ['virtual', 'wall'] as const;

/** What the command line says; what is left out is the scenario's. */
export interface PlayWish {
  readonly scenario: string;
  readonly gear?: (typeof GEARS)[number] | undefined;
  readonly appliances?: number | undefined;
  /** Thrown, and told, when left out. */
  readonly seed?: number | undefined;
  readonly lengthMs?: number | undefined;
  readonly crypto: CryptoMode;
  readonly shards?: number | undefined;
  /** Only this appliance is switched on. */
  readonly only?: number | undefined;
  /** Files to write. */
  readonly report?: string | undefined;
  readonly json?: string | undefined;
  /** File with expectations in place of the scenario's own. */
  readonly expect?: string | undefined;
}

/** @returns the exit code: 0 everything held, 1 something did not. */
export async function play(wish: PlayWish, signal: AbortSignal): Promise<number> {
  const scenario = await scenarioFor(wish);
  const [first = 'virtual'] = scenario.gears;
  const gear = wish.gear ?? first;
  if (!scenario.gears.includes(gear)) {
    const message = `${scenario.name} plays in the gear ${scenario.gears.join(' or ')}, not in ${gear}`;
    throw new LanyardError('option-invalid', { message });
  }
  const seed = wish.seed ?? Number.parseInt(randomHex(systemRandom, 3), 16);
  const appliances = wish.appliances ?? scenario.appliances;
  const lengthMs = wish.lengthMs ?? scenario.for;
  const result = await playVirtual({
    scenario,
    appliances,
    seed,
    lengthMs,
    crypto: wish.crypto,
    only: wish.only,
    shards: wish.shards ?? scenario.shards,
    version: SDK_VERSION,
    replay: replayOf(wish, { gear, appliances, seed, shards: wish.shards ?? scenario.shards }),
    onProgress: tellProgress,
    signal,
    clock: systemClock,
  });
  await leaveReports(wish, result);
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

function tellProgress(_snapshot: () => Snapshot, _share: number): void {}

async function leaveReports({ report, json }: PlayWish, result: Result): Promise<void> {
  if (report !== undefined) await writeFile(report, htmlReport(result));
  if (json !== undefined) await writeFile(json, jsonReport(result));
}

function complaintsOf({ demands, violations }: Result): readonly string[] {
  const unmet = demands.filter(({ isMet }) => !isMet);
  return [
    ...unmet.map(({ measure, foundText, wantedText }) => `not met: ${measure} is ${foundText}, wanted ${wantedText}`),
    ...violations.shown.flatMap(({ invariant, detail, lastEvents, replay, tolerated }) =>
      tolerated === undefined
        ? [`broken: ${invariant}: ${detail}`, ...lastEvents.map((line) => `  ${line}`), `  ${replay}`]
        : [],
    ),
  ];
}

function replayOf(
  { scenario, crypto, lengthMs, only }: PlayWish,
  { gear, appliances, seed, shards }: Readonly<Record<'appliances' | 'seed' | 'shards', number>> & { gear: string },
): string {
  const words = ['npx lanyard-simulator run', scenario, '--gear', gear, '--appliances', appliances, '--seed', seed];
  if (gear === 'virtual') words.push('--crypto', crypto);
  if (shards > 1) words.push('--shards', shards);
  if (lengthMs !== undefined) words.push('--for', `${lengthMs}ms`);
  if (only !== undefined) words.push('--only', only);
  return words.join(' ');
}
