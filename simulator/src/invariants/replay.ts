/** The command line that shows a violation again. */

/** One part of a run, as it was started. */
export interface Replayed {
  readonly scenario: string;
  /** Of the whole fleet. */
  readonly appliances: number;
  readonly seed: number;
  /** How many shards the fleet was dealt out to, and which one this is, from 0. */
  readonly shards?: number;
  readonly shard?: number;
}

/** The number in the fleet of an appliance that has another in its shard. */
export function numberInFleet({ shards = 1, shard = 0 }: Replayed, appliance: number): number {
  return appliance * shards + shard;
}

/** @param atMs since the start of the run. */
export function replayCommand({ scenario, appliances, seed, shards = 1 }: Replayed, atMs: number): string {
  const words = ['npx lanyard-simulator run', scenario, '--gear virtual', '--appliances', appliances, '--seed', seed];
  if (shards > 1) words.push('--shards', shards);
  // A second more, since what happens at the last instant has to be part of it.
  words.push('--until', `${Math.floor(atMs / 1000) + 1}s`);
  return words.join(' ');
}
