/** Plays a scenario on virtual time and makes a result of it: measured, judged, and told while it goes on. */
import process from 'node:process';
import { systemClock } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { Measurements } from '../../report/measurements.ts';
import { resultOf } from '../../report/result.ts';
import type { Result } from '../../report/result.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { stubCrypto } from './crypto.ts';
import type { CryptoMode } from './crypto.ts';
import { runVirtual } from './run-virtual.ts';
import { START_MS } from './virtual-world.ts';

export interface VirtualPlay {
  readonly scenario: Scenario;
  readonly appliances: number;
  readonly seed: number;
  readonly crypto: CryptoMode;
  readonly lengthMs: number;
  readonly only?: number | undefined;
  readonly version: string;
  /** The command line that does this again. */
  readonly replay: string;
  /** Told now and then how it stands, with the share of the time that is over. */
  readonly onProgress: (measurements: Measurements, share: number) => void;
  /** Ends the run early; what was measured until then is the result. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const MEGABYTE = 1_048_576;

export async function playVirtual(play: VirtualPlay): Promise<Result> {
  const { scenario, appliances, seed, lengthMs, clock = systemClock } = play;
  const measurements = new Measurements({ startMs: START_MS, lengthMs, appliances });
  const startedMs = clock.monotonicMs();
  const outcome = await runVirtual({
    scenario,
    appliances,
    seed,
    crypto: stubCrypto(),
    lengthMs,
    ...(play.only !== undefined && { only: play.only }),
    witnesses: () => [(happening) => measurements.note(happening)],
    onProgress: (world) => {
      measurements.passTo(world.clock.nowMs());
      measurements.sample(world.clock.nowMs(), world.authority.levels());
      play.onProgress(measurements, world.clock.monotonicMs() / lengthMs);
      return play.signal.aborted ? 'stop' : 'go-on';
    },
  });
  return resultOf({
    run: {
      scenario: scenario.name,
      about: scenario.about,
      gear: 'virtual',
      appliances,
      seed,
      eventHash: outcome.eventHash,
      seconds: Math.round((clock.monotonicMs() - startedMs) / 100) / 10,
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      version: play.version,
      replay: play.replay,
    },
    snapshot: measurements.snapshot(),
    flashBytesPerYear: measurements.flashBytesPerYear(),
    violations: { total: 0, tolerated: 0, shown: [] },
    demands: scenario.expect.demands,
  });
}
