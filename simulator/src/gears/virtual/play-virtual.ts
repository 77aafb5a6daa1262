/** Plays a scenario on virtual time and makes a result of it: measured, judged, and told while it goes on. */
import process from 'node:process';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { resultOf } from '../../report/result.ts';
import type { Result } from '../../report/result.ts';
import type { Snapshot } from '../../report/snapshot.ts';
import { playShards } from './shards.ts';
import type { ShardedPlan } from './shards.ts';

export interface VirtualPlay extends Omit<ShardedPlan, 'replay'> {
  /** As the command line names it. */
  readonly source: string;
  readonly version: string;
  /** The command line that does this again. */
  readonly replay: string;
  /** Told now and then; `share` of the time is over. */
  readonly onProgress: (snapshot: () => Snapshot, share: number) => void;
  /** Ends the run early; what was measured until then is the result. */
  readonly signal: AbortSignal;
  /** Of the world outside the simulation. */
  readonly clock: Clock;
}

/** @throws LanyardError `option-invalid` for a fleet that cannot be divided. */
export async function playVirtual(play: VirtualPlay): Promise<Result> {
  checkShards(play);
  const { scenario, source, appliances, seed, clock, onProgress, signal } = play;
  const startedMs = clock.monotonicMs();
  const plan = { ...play, replay: { scenario: source, appliances, seed } };
  const outcome = await playShards(plan, {
    onProgress: (combined, share) => onProgress(() => combined().snapshot, share),
    signal,
  });
  return resultOf({
    run: {
      scenario: scenario.name,
      about: scenario.about,
      gear: 'virtual',
      appliances,
      shards: play.shards,
      seed,
      eventHash: outcome.eventHash,
      seconds: Math.round((clock.monotonicMs() - startedMs) / 100) / 10,
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      version: play.version,
      replay: play.replay,
    },
    snapshot: outcome.snapshot,
    flashBytesPerYear: outcome.flashBytesPerYear,
    violations: outcome.violations,
    // What is demanded of a fleet says nothing of one appliance.
    demands: play.only === undefined ? scenario.expect.demands : [],
  });
}

/** Limits of a CA hold for an account and a domain: a fleet that shares them is not several. */
function checkShards({ shards, appliances, scenario }: VirtualPlay): void {
  const isLimited = [scenario.authority, ...scenario.failover].some(
    ({ preset, limits }) => preset !== 'none' || Object.values(limits).some((limit) => limit !== undefined),
  );
  const message =
    (shards > appliances && `${appliances} appliances do not make ${shards} shards`) ||
    (shards > 1 && isLimited && `${scenario.name} has a CA with limits, which shards would not share: one shard only`);
  if (message !== false) throw new LanyardError('option-invalid', { message });
}
