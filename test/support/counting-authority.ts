/** A CA of a test that says how much it was asked for, so that what the broker did twice shows. */
import type { TownPlan } from '@lanyard/simulator';

export interface Counted {
  readonly orders: number;
  readonly certificates: number;
  /** Each of them costs an order, and none of them is a duplicate. */
  readonly failedValidations: number;
  /** What it refused by a limit, or let through beyond one. */
  readonly refusals: number;
}

export interface CountingAuthority {
  readonly start: NonNullable<TownPlan['startAuthority']>;
  counted(): Counted;
}
