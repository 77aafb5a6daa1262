/** How long certificates live, and from when on they live shorter. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Let's Encrypt's profiles. `tlsserver` and `shortlived` are for those who ask for them. */
export const PROFILES = ['classic', 'tlsserver', 'shortlived'] as const;
export type Profile = (typeof PROFILES)[number];

/** From then on, so long. */
export interface Lifetime {
  readonly fromMs: number;
  readonly lifetimeMs: number;
}

/** letsencrypt.org, "Decreasing Certificate Lifetimes to 45 Days" (2 December 2025), and docs/profiles (14 July 2026). */
const LIFETIMES: Readonly<Record<Profile, readonly [Lifetime, ...Lifetime[]]>> = {
  classic: [
    { fromMs: Date.UTC(2015, 11, 3), lifetimeMs: 90 * DAY_MS },
    { fromMs: Date.UTC(2027, 1, 10), lifetimeMs: 64 * DAY_MS },
    { fromMs: Date.UTC(2028, 1, 16), lifetimeMs: 45 * DAY_MS },
  ],
  tlsserver: [
    { fromMs: Date.UTC(2025, 0, 9), lifetimeMs: 90 * DAY_MS },
    { fromMs: Date.UTC(2026, 4, 13), lifetimeMs: 45 * DAY_MS },
  ],
  shortlived: [{ fromMs: Date.UTC(2026, 0, 15), lifetimeMs: 160 * HOUR_MS }],
};

/** What no CA may exceed: CA/Browser Forum, Baseline Requirements §6.3.2 (ballot SC-081v3). */
const MAXIMA: readonly Lifetime[] = [
  { fromMs: Date.UTC(2020, 8, 1), lifetimeMs: 398 * DAY_MS },
  { fromMs: Date.UTC(2026, 2, 15), lifetimeMs: 200 * DAY_MS },
  { fromMs: Date.UTC(2027, 2, 15), lifetimeMs: 100 * DAY_MS },
  { fromMs: Date.UTC(2029, 2, 15), lifetimeMs: 47 * DAY_MS },
];

/** A date on which lifetimes change. */
export interface LifetimeChange extends Lifetime {
  /** `every CA`: the maximum of the Baseline Requirements. */
  readonly of: Profile | 'every CA';
}

/** What a profile gives at `fromMs`, then what it gives later. */
export function lifetimesFrom(profile: Profile, fromMs: number): readonly [Lifetime, ...Lifetime[]] {
  const [first, ...later] = LIFETIMES[profile];
  const now = later.findLast((lifetime) => lifetime.fromMs <= fromMs) ?? first;
  return [{ ...now, fromMs }, ...later.filter((lifetime) => lifetime.fromMs > fromMs)];
}

/** Everything that is announced for after `fromMs`, the next one first. */
export function changesAfter(fromMs: number): readonly LifetimeChange[] {
  const all = [
    ...PROFILES.flatMap((of) => LIFETIMES[of].map((lifetime) => ({ ...lifetime, of }))),
    ...MAXIMA.map((lifetime) => ({ ...lifetime, of: 'every CA' as const })),
  ];
  return all
    .filter((change) => change.fromMs > fromMs)
    .toSorted((one, other) => one.fromMs - other.fromMs || one.of.localeCompare(other.of));
}
