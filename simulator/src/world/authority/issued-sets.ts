/** Which exact sets of names were certified lately: by this the CA knows a renewal when nobody says so. */
import { ExpiringStore, type Expiring } from './expiring-store.ts';

const DAY_MS = 86_400_000;

/** Boulder looks back this far (wfe2/wfe.go, NewOrder). */
const LOOKBACK_MS = 120 * DAY_MS;

/** More than any simulated fleet has names. */
const SET_LIMIT = 5_000_000;

export class IssuedSets {
  readonly #sets = new ExpiringStore<Expiring>({ limit: SET_LIMIT });

  /** To anyone: the look-back does not ask for the account. */
  wasIssued(set: string, nowMs: number): boolean {
    const known = this.#sets.get(set);
    return known !== undefined && known.expiresAtMs > nowMs;
  }

  add(set: string, nowMs: number): void {
    const item = { id: set, expiresAtMs: nowMs + LOOKBACK_MS };
    if (this.#sets.get(set) === undefined) this.#sets.add(item, nowMs);
    else this.#sets.update(item);
  }

  get size(): number {
    return this.#sets.size;
  }
}
