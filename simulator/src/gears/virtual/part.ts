/** One part of a fleet on virtual time: a shard with a broker, a zone and a CA account of its own, as vendors deploy it. */
import type { Violations } from '../../report/result.ts';
import type { Replayed } from '../../invariants/replay.ts';
import { virtualFacts } from '../../invariants/virtual-facts.ts';
import { Watch } from '../../invariants/watch.ts';
import { Measurements } from '../../report/measurements.ts';
import type { Parcel } from '../../report/combine.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import type { CryptoMode } from './crypto.ts';
import { runVirtual } from './run-virtual.ts';
import { START_MS } from './virtual-world.ts';

/** Plain data: it crosses to the thread that plays the part. */
export interface PartPlan {
  readonly scenario: Scenario;
  readonly appliances: number;
  readonly seed: number;
  readonly lengthMs: number;
  readonly crypto: CryptoMode;
  readonly only?: number | undefined;
  /** How the whole run is started again. */
  readonly replay: Replayed;
}

export interface PartOutcome {
  readonly eventHash: string;
  readonly parcel: Parcel;
  readonly violations: Violations;
}

export interface PartObserver {
  /** Told now and then, with the share of the time that is over. */
  readonly onProgress: (parcel: () => Parcel, share: number) => void;
  readonly isStopped: () => boolean;
}

export async function playPart(plan: PartPlan, { onProgress, isStopped }: PartObserver): Promise<PartOutcome> {
  const { scenario, appliances, seed, lengthMs, crypto, only, replay } = plan;
  const measurements = new Measurements({ startMs: START_MS, lengthMs, appliances });
  const watch = new Watch({ startMs: START_MS, replay, tolerated: scenario.expect.tolerate });
  const { eventHash } = await runVirtual({
    scenario,
    appliances,
    seed,
    lengthMs,
    crypto,
    ...(only !== undefined && { only }),
    tap: watch.tap,
    witnesses: (world) => [(happening) => measurements.note(happening), watch.begin(virtualFacts(world))],
    onEnd: () => watch.finish(),
    onProgress: (world) => {
      measurements.passTo(world.clock.nowMs());
      measurements.sample(world.clock.nowMs(), world.authorities.levels());
      onProgress(() => measurements.parcel(), world.clock.monotonicMs() / lengthMs);
      return isStopped() ? 'stop' : 'go-on';
    },
  });
  return { eventHash, parcel: measurements.parcel(), violations: watch.violations() };
}
