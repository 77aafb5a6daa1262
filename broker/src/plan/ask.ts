/** What to ask the CA for: the smallest limits by which a roll-out is done in time. */
import type { RateLimit } from '../certificates/budget/rate-limit.ts';
import { paceOf, timeFor } from './pace.ts';
import type { Pace } from './pace.ts';
import { FIRST_SHARE, burstForFirst, rollOut } from './roll-out.ts';
import type { Fleet, PlanTerms, RollOut } from './roll-out.ts';

/** Those that a roll-out meets and that CAs raise on request; Let's Encrypt never raises the one for an exact set of names. */
export const ASKABLE = ['new-orders', 'registered-domain'] as const;
export type AskableLimit = (typeof ASKABLE)[number];

export interface Ask {
  readonly withinMs: number;
  readonly overrides: readonly Override[];
  /** With all of them granted on the first day. */
  readonly rollOut: RollOut;
  /** False when something else is too slow, which no override makes faster. */
  readonly isEnough: boolean;
}

/** One limit that has to grow. */
export interface Override {
  readonly limit: AskableLimit;
  readonly standing: RateLimit;
  /** The least that will do. */
  readonly smallest: number;
  /** The next number that people write into forms. */
  readonly wanted: RateLimit;
}

export function ask(fleet: Fleet, terms: PlanTerms, withinMs: number): Ask {
  const overrides = ASKABLE.flatMap((limit) => {
    const standing = terms.limits[limit];
    return standing ? overrideOf(limit, standing, fleet, withinMs) : [];
  });
  const granted = Object.fromEntries(overrides.map(({ limit, wanted }) => [limit, wanted]));
  const asked = rollOut(fleet, { ...terms, limits: { ...terms.limits, ...granted } });
  return { withinMs, overrides, rollOut: asked, isEnough: asked.durationMs <= withinMs };
}

/** Rounds up to 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten. */
export function friendly(count: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  const steps = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power);
  return steps.find((step) => step >= count && Number.isInteger(step)) ?? Math.ceil(count);
}

function overrideOf(limit: AskableLimit, standing: RateLimit, fleet: Fleet, withinMs: number): readonly Override[] {
  const paceWith = (asked: RateLimit): Pace => {
    const pace = paceOf(limit, asked, bucketsOf(limit, fleet));
    return limit === 'new-orders' ? { ...pace, burst: burstForFirst(asked.burst) } : pace;
  };
  const isInTime = (asked: RateLimit): boolean => timeFor(paceWith(asked), fleet.appliances) <= withinMs;
  if (isInTime(standing)) return [];
  const { periodMs } = standing;
  // With everything in the burst it takes no time at all.
  const most = Math.ceil(fleet.appliances / FIRST_SHARE) + 1;
  const smallest = smallestThat((burst) => isInTime({ burst, periodMs }), most);
  return [{ limit, standing, smallest, wanted: { burst: friendly(smallest), periodMs } }];
}

function bucketsOf(limit: AskableLimit, { appliances, zones, isPublicSuffix }: Fleet): number {
  if (limit === 'new-orders') return 1;
  return isPublicSuffix ? appliances : zones;
}

/** A larger burst is never slower, so that halving finds it. */
function smallestThat(isEnough: (count: number) => boolean, most: number): number {
  let tooFew = 0;
  let enough = most;
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
