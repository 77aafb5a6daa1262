/** Which of its limits a CA says was reached: Boulder's words, and the place in Let's Encrypt's documentation. */
import type { LimitName } from '../certificates/budget/rate-limit.ts';

/**
 * ratelimits/limiter.go and ra/ra.go of Boulder. Anchors speak of identifiers since 2025, of hostnames before; the words
 * come first in a text and are never cut off with its end.
 */
const WORDING: readonly (readonly [LimitName, RegExp])[] = [
  ['new-orders', /too many new orders|#new-orders-per-account/i],
  // Before the next, which begins with the same words.
  ['exact-set', /already issued for (?:this )?exact set of|#new-certificates-per-exact-set/i],
  [
    'registered-domain',
    /too many certificates (?:\(\d+\) )?already issued for|#new-certificates-per-registered-domain/i,
  ],
  ['failed-authorizations', /too many failed authorizations|#authorization-failures-per/i],
  [
    'consecutive-failures',
    /temporarily prevented from requesting certificates|#consecutive-authorization-failures-per/i,
  ],
];

/** @param detail of a problem document that says `rateLimited`. @returns undefined for limits that are none of ours. */
export function namedLimit(detail: string): LimitName | undefined {
  return WORDING.find(([, words]) => words.test(detail))?.[0];
}
