/** When the appliances of a crowd are switched on for the first time. */

export interface Arrivals {
  /** `ramp`: twice as many an hour at the end as on average, none at the start. */
  readonly shape: 'at-once' | 'even' | 'ramp';
  readonly overMs: number;
}

/** @param share how many of all come before this one, 0 to 1. */
export function arrivalMs({ shape, overMs }: Arrivals, share: number): number {
  switch (shape) {
    case 'at-once':
      return 0;
    case 'even':
      return share * overMs;
    case 'ramp':
      return Math.sqrt(share) * overMs;
  }
}
