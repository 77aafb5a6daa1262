/** Lays out the sites of a simulated town from a seed. */
import type { Random } from '@lanyard/sdk/kernel';
import type { Site } from './site.ts';

/** Router makers' favourites: nearly every home has one of these. */
const HOME_LANS = ['192.168.0', '192.168.1', '192.168.178', '10.0.0'] as const;
const OFFICE_LANS = ['10.1.1', '172.16.20', '10.20.30'] as const;

/** Every fifth site is an office, every fourth of the others stands behind its carrier's NAT. */
const OFFICE_EVERY = 5;
const CGNAT_SHARE = 0.25;

/** Two carriers, and RFC 5737 addresses: documentation ranges never meet anybody real. */
const CARRIERS = ['203.0.113.1', '203.0.113.2'] as const;

/** @param count how many sites. */
export function layOutTown(count: number, random: Random): readonly Site[] {
  return Array.from({ length: count }, (_, index) => layOutSite(index, random));
}

function layOutSite(index: number, random: Random): Site {
  const name = `site-${index + 1}`;
  if (index % OFFICE_EVERY === OFFICE_EVERY - 1) {
    return { name, kind: 'office', lan: pick(OFFICE_LANS, random), publicAddress: ownAddress(index) };
  }
  const isCgnat = random.uniform() < CGNAT_SHARE;
  const publicAddress = isCgnat ? pick(CARRIERS, random) : ownAddress(index);
  return { name, kind: isCgnat ? 'cgnat' : 'home', lan: pick(HOME_LANS, random), publicAddress };
}

/** RFC 2544's benchmark range 198.18.0.0/15 has room for 131,000 sites of their own. */
function ownAddress(index: number): string {
  return `198.${18 + ((index >> 16) & 1)}.${(index >> 8) & 255}.${index & 255}`;
}

function pick<T>(choices: readonly [T, ...T[]], random: Random): T {
  return choices[Math.floor(random.uniform() * choices.length)] ?? choices[0];
}
