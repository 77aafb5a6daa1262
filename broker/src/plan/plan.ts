/** Everything that is to be known before a fleet meets a CA, as numbers. What shows it only spells it. */
import type { PresetName } from '../certificates/budget/presets.ts';
import { ask } from './ask.ts';
import type { Ask } from './ask.ts';
import { endpointCeilings } from './capacity.ts';
import type { EndpointCeilings } from './capacity.ts';
import { changesAfter, lifetimesFrom } from './lifetimes.ts';
import type { LifetimeChange, Profile } from './lifetimes.ts';
import { replacement } from './replacement.ts';
import type { Replacement } from './replacement.ts';
import { rollOut } from './roll-out.ts';
import type { Fleet, PlanTerms, RollOut } from './roll-out.ts';
import { steadyState } from './steady-state.ts';
import type { SteadyState } from './steady-state.ts';

export interface Intention {
  readonly fleet: Fleet;
  readonly ca: PresetName;
  readonly terms: PlanTerms;
  readonly profile: Profile;
  readonly fromMs: number;
  readonly byMs?: number;
}

export interface Plan extends Intention {
  readonly rollOut: RollOut;
  readonly ask?: Ask;
  /** One for each lifetime that is announced, the present one first. */
  readonly steadyStates: readonly [SteadyState, ...SteadyState[]];
  readonly changes: readonly LifetimeChange[];
  /** Where the CA publishes them. */
  readonly endpoints?: EndpointCeilings;
  readonly replacement: Replacement;
}

export function planOf(intention: Intention): Plan {
  const { fleet, ca, terms, profile, fromMs, byMs } = intention;
  const endpoints = endpointCeilings(ca);
  const standing = rollOut(fleet, terms);
  const asked = byMs === undefined ? undefined : ask(fleet, terms, byMs - fromMs);
  const first = asked?.rollOut ?? standing;
  const [now, ...later] = lifetimesFrom(profile, fromMs);
  return {
    ...intention,
    rollOut: standing,
    ...(asked && { ask: asked }),
    steadyStates: [steadyState(fleet, now, first), ...later.map((lifetime) => steadyState(fleet, lifetime, first))],
    changes: changesAfter(fromMs),
    ...(endpoints && { endpoints }),
    replacement: replacement(fleet, terms),
  };
}
