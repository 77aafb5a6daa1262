/** Which scenarios are played with a whole fleet, and how many appliances a run of each can have. */
import process from 'node:process';

/** What a build plays, as far as it can wait: about 25 minutes on two cores that do nothing else. */
export const USUAL = 10_000;

/** For an evening: `LANYARD_FLEET=90000`. */
const ASKED = process.env['LANYARD_FLEET'];
export const FLEET = Number(ASKED ?? USUAL);

/** A day: 90,000 appliances are hours. */
export const TIMEOUT_MS = 86_400_000;

/** A thread holds so many within a gigabyte. */
const PER_SHARD = 5_000;

interface Plan {
  readonly scenario: string;
  /** In a build, where 10,000 would take much longer than five minutes. */
  readonly usual?: number;
  /** Its CA has limits, which are one account's: the fleet cannot be divided, and one core plays it. */
  readonly isWhole?: true;
  /** Its CA lowers its limits and tells nobody: it refuses, and says so. Others never do. */
  readonly isRefused?: true;
  /** More are no question of patience: the scenario ends before they are served. */
  readonly atMost?: number;
}

const PLANS: readonly Plan[] = [
  // Each of those that wait says hello every hour for two weeks.
  { scenario: 'ramp', isWhole: true, usual: 5_000 },
  { scenario: 'renewal-year' },
  { scenario: 'ca-outage' },
  { scenario: 'mass-revocation', isWhole: true },
  // The last waits four minutes for each before it, and says hello every hour. 30,000 take 83 of the 100 days.
  { scenario: 'limits-tight', isWhole: true, isRefused: true, usual: 3_000, atMost: 30_000 },
  // Seventeen certificates each.
  { scenario: 'profile-change', usual: 5_000 },
  { scenario: 'shelf' },
  // Each kill is a reconnect of everybody.
  { scenario: 'broker-crashes', usual: 5_000 },
];

export interface Fleet {
  readonly scenario: string;
  readonly appliances: number;
  readonly shards: number;
  readonly isRefused: boolean;
}

export const FLEETS: readonly Fleet[] = PLANS.map(({ scenario, usual = USUAL, isWhole, isRefused = false, atMost }) => {
  const appliances = Math.min(ASKED === undefined ? usual : FLEET, atMost ?? Infinity);
  const shards = isWhole ? 1 : Math.max(2, Math.ceil(appliances / PER_SHARD));
  return { scenario, appliances, shards, isRefused };
});
