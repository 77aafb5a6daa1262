/** A pace and what comes of it, spelled so that a person can reckon it again line by line. */
import type { LimitName, RateLimit } from '../certificates/budget/rate-limit.ts';
import { ISSUANCES_PER_SECOND, REQUESTS_PER_ORDER } from './capacity.ts';
import { count, duration, period, seconds, several } from './figures.ts';
import { shareOf, timeFor } from './pace.ts';
import type { Pace } from './pace.ts';
import { FIRST_SHARE } from './roll-out.ts';
import type { Fleet } from './roll-out.ts';

/** `300 per 3h` */
export function limitText({ burst, periodMs, count: refill }: RateLimit): string {
  const back = refill === undefined || refill === burst ? '' : `, of which ${count(refill)} come back`;
  return `${count(burst)}${back} per ${period(periodMs)}`;
}

/** The limit behind a pace. */
export function limitOf(pace: Pace, limits: Readonly<Partial<Record<LimitName, RateLimit>>>): RateLimit | undefined {
  return pace.name === 'requests' || pace.name === 'issuance' ? undefined : limits[pace.name];
}

/** What it is, in one line. */
export function paceText(pace: Pace, limit: RateLimit | undefined): string {
  switch (pace.name) {
    case 'requests':
      return `${count(pace.count)} a second at the CA, of which an order takes ${REQUESTS_PER_ORDER}`;
    case 'issuance':
      return `${ISSUANCES_PER_SECOND} certificates a second of the broker, on 2 cores`;
    case 'new-orders':
      return `${limit ? limitText(limit) : ''} for the account`;
    case 'registered-domain':
      return `${limit ? limitText(limit) : ''} for ${pace.buckets === 1 ? 'the zone' : `each of ${several(pace.buckets, 'domain')}`}`;
  }
}

/** `interval = 10,800 s / 300 = 36 s` */
export function intervalLine(pace: Pace): string {
  return `interval = ${seconds(pace.periodMs)} / ${count(pace.count)} = ${seconds(pace.periodMs / pace.count)}`;
}

/** How much of a limit's burst the first certificates get; undefined where it is all of it. */
export function burstLine(pace: Pace, limit: RateLimit | undefined): string | undefined {
  if (!limit || pace.burst === limit.burst) return undefined;
  const rest = 'first issuance leaves the rest to renewals';
  return `burst = floor(${FIRST_SHARE} × ${count(limit.burst)}) = ${count(pace.burst)}; ${rest}`;
}

/** How many go through one bucket; undefined where there is one. */
export function shareLine(pace: Pace, { appliances }: Fleet): string | undefined {
  if (pace.buckets === 1) return undefined;
  return `n = ${count(appliances)} / ${count(pace.buckets)}, rounded up = ${count(shareOf(pace, appliances))}`;
}

/** `T = (90,000 - 270) × 10,800 s / 300 = 3,230,280 s = 37d 9h` */
export function timeLine(pace: Pace, certificates: number): string {
  const share = shareOf(pace, certificates);
  if (share <= pace.burst) return `T = 0: ${count(share)} of a burst of ${count(pace.burst)}, all at once`;
  const rest = pace.burst === 0 ? count(share) : `(${count(share)} - ${count(pace.burst)})`;
  const ms = timeFor(pace, certificates);
  return `T = ${rest} × ${seconds(pace.periodMs)} / ${count(pace.count)} = ${seconds(ms)} = ${duration(ms)}`;
}
