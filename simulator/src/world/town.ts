/** Lays out the sites of a simulated town from a seed. */
import type { Random } from '@lanyard/sdk/kernel';
import type { Site, SiteKind } from './site.ts';

/** Router makers' favourites: nearly every home has one of these. */
const HOME_LANS = ['192.168.0', '192.168.1', '192.168.178', '10.0.0'] as const;
const OFFICE_LANS = ['10.1.1', '172.16.20', '10.20.30'] as const;

/** What share of the sites is how; the rest are plain homes. */
export interface SiteShares {
  readonly office: number;
  readonly cgnat: number;
  readonly doubleNat: number;
  readonly strictFirewall: number;
  readonly rebindingFilter: number;
  readonly shortIdle: number;
}

export const USUAL_SITES: SiteShares = {
  office: 0.2,
  cgnat: 0.2,
  doubleNat: 0.05,
  strictFirewall: 0,
  rebindingFilter: 0,
  shortIdle: 0,
};

/** RFC 5382 §5 asks for two hours and four minutes; carriers and strict firewalls are far below it. */
const MAPPING_IDLE_MS = { home: 7_440_000, office: 3_600_000, cgnat: 600_000, 'double-nat': 900_000 } as const;
const STRICT_IDLE_MS = 300_000;
/** What the meanest of carriers and cheap routers do. */
const SHORT_IDLE_MS = 60_000;

/** Two carriers, and RFC 5737 addresses: documentation ranges never meet anybody real. */
const CARRIERS = ['203.0.113.1', '203.0.113.2'] as const;

/** @param count how many sites. */
export function layOutTown(count: number, random: Random, shares: SiteShares = USUAL_SITES): readonly Site[] {
  return Array.from({ length: count }, (_, index) => layOutSite(index, random, shares));
}

function layOutSite(index: number, random: Random, shares: SiteShares): Site {
  const kind = pickKind(random, shares);
  const isStrict = random.uniform() < shares.strictFirewall;
  const usualIdleMs = isStrict ? STRICT_IDLE_MS : MAPPING_IDLE_MS[kind];
  // Not thrown where there are none, so that towns of old seeds stay as they are.
  const isShort = shares.shortIdle > 0 && random.uniform() < shares.shortIdle;
  return {
    name: `site-${index + 1}`,
    kind,
    lan: pick(kind === 'office' ? OFFICE_LANS : HOME_LANS, random),
    publicAddress: kind === 'cgnat' ? pick(CARRIERS, random) : ownAddress(index),
    mappingIdleMs: isShort ? SHORT_IDLE_MS : usualIdleMs,
    isStrict,
    hasRebindingFilter: random.uniform() < shares.rebindingFilter,
  };
}

function pickKind(random: Random, { office, cgnat, doubleNat }: SiteShares): SiteKind {
  const roll = random.uniform();
  if (roll < office) return 'office';
  if (roll < office + cgnat) return 'cgnat';
  return roll < office + cgnat + doubleNat ? 'double-nat' : 'home';
}

/** RFC 2544's benchmark range 198.18.0.0/15 has room for 131,000 sites of their own. */
function ownAddress(index: number): string {
  return `198.${18 + ((index >> 16) & 1)}.${(index >> 8) & 255}.${index & 255}`;
}

function pick<T>(choices: readonly [T, ...T[]], random: Random): T {
  return choices[Math.floor(random.uniform() * choices.length)] ?? choices[0];
}
