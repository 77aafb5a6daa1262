/** Which profile means what, at which time: the CA's announced changes happen by the clock. */
import type { Clock } from '@lanyard/sdk/kernel';
import type { AuthorityPolicy, DatedChange, Profile } from './policy.ts';
import { Problem } from './problems.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** letsencrypt.org, "Decreasing Certificate Lifetimes to 45 Days" (2 December 2025). */
export const LETSENCRYPT_CALENDAR: readonly DatedChange[] = [
  {
    fromMs: Date.UTC(2027, 1, 10),
    profile: 'classic',
    change: { description: 'The default: 64 days.', validityMs: 64 * DAY_MS, authorizationReuseMs: 10 * DAY_MS },
  },
  {
    fromMs: Date.UTC(2028, 1, 16),
    profile: 'classic',
    change: { description: 'The default: 45 days.', validityMs: 45 * DAY_MS, authorizationReuseMs: 7 * HOUR_MS },
  },
];

/** Staging changes about a month ahead of production. */
export const STAGING_CALENDAR: readonly DatedChange[] = LETSENCRYPT_CALENDAR.map((change) => ({
  ...change,
  fromMs: change.fromMs - 30 * DAY_MS,
}));

export class Profiles {
  readonly #clock: Clock;
  #current: Readonly<Record<string, Profile>>;
  /** Those still to come, the next one first. */
  #ahead: readonly DatedChange[];

  constructor(options: { readonly clock: Clock; readonly policy: AuthorityPolicy }) {
    this.#clock = options.clock;
    this.#current = options.policy.profiles;
    this.#ahead = inOrder(options.policy.profileChanges);
  }

  /** By name, as they are now. */
  get current(): Readonly<Record<string, Profile>> {
    const nowMs = this.#clock.nowMs();
    for (let [next] = this.#ahead; next !== undefined && next.fromMs <= nowMs; [next] = this.#ahead) {
      const before = this.#current[next.profile];
      this.#ahead = this.#ahead.slice(1);
      if (before !== undefined) this.#current = { ...this.#current, [next.profile]: { ...before, ...next.change } };
    }
    return this.#current;
  }

  /** @throws Problem `invalidProfile` */
  get(name: string): Profile {
    const { current } = this;
    const profile = Object.hasOwn(current, name) ? current[name] : undefined;
    if (profile === undefined) throw new Problem('invalidProfile', `Profile ${JSON.stringify(name)} not recognised`);
    return profile;
  }

  schedule(change: DatedChange): void {
    this.#ahead = inOrder([...this.#ahead, change]);
  }
}

function inOrder(changes: readonly DatedChange[]): readonly DatedChange[] {
  return changes.toSorted((one, other) => one.fromMs - other.fromMs);
}
