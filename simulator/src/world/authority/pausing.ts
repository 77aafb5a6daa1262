/** Names that failed too often in a row: paused for their account until somebody lifts it (Boulder's RA and SFE). */
import type { AuthorityEvent } from './authority-event.ts';
import { Problem } from './problems.ts';

export interface PausingOptions {
  /** Where a person would lift it. */
  readonly unpauseUrl: string;
  readonly tell: (event: AuthorityEvent) => void;
}

/** Pauses last for ever, so they are bounded; each one cost a thousand failures. */
const PAUSED_LIMIT = 1_000_000;

export class Pausing {
  readonly #options: PausingOptions;
  /** By account. */
  readonly #paused = new Map<string, Set<string>>();
  #size = 0;

  constructor(options: PausingOptions) {
    this.#options = options;
  }

  /** @throws Problem (429) when one of the names is paused; checked before anything else, and nothing is exempt. */
  check(accountId: string, names: readonly string[]): void {
    const paused = this.#paused.get(accountId);
    if (paused === undefined) return;
    const met = names.filter((name) => paused.has(name));
    if (met.length === 0) return;
    this.#options.tell({
      kind: 'limited',
      limit: 'consecutiveFailures',
      key: `${accountId}:${met[0]}`,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
    throw new Problem(
      'rateLimited',
      'Your account is temporarily prevented from requesting certificates for ' +
        `${met.join(', ')} and possibly others. Please visit: ${this.#options.unpauseUrl}`,
    );
  }

  pause(accountId: string, name: string): void {
    const paused = this.#paused.get(accountId) ?? new Set<string>();
    if (paused.has(name) || this.#size >= PAUSED_LIMIT) return;
    this.#paused.set(accountId, paused.add(name));
    this.#size += 1;
  }

  /** @returns how many names it lifted. */
  unpause(accountId: string): number {
    const count = this.#paused.get(accountId)?.size ?? 0;
    this.#paused.delete(accountId);
    this.#size -= count;
    return count;
  }
}
