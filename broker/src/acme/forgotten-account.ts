/** An account that its CA has forgotten, as after it was restored from a backup: registered anew, but not in a loop. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import { problemName, problemType } from './problems.ts';

/** A CA whose parts do not know of each other's accounts would have one registered with every request. */
const SHORTEST_MS = 3_600_000;

/**
 * Only what RFC 8555 §6.2 has for an unknown `kid`, and Boulder, Pebble and step-ca say. `malformed` and `unauthorized`
 * are also said of requests and accounts that a new registration would not mend.
 */
export function isForgotten(error: unknown): error is LanyardError {
  return problemName(problemType(error)) === 'accountDoesNotExist';
}

export class ForgottenAccount {
  readonly #clock: Clock;
  readonly #log: Logger;
  #isNoted = false;
  #answeredAtMs: number | undefined;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** The stored URL is worth nothing: the key is to be registered. */
  get isNoted(): boolean {
    return this.#isNoted;
  }

  /** @throws LanyardError `authority-protocol` when the CA was asked for it less than an hour ago. */
  note(cause: LanyardError): void {
    const agoMs = this.#clock.monotonicMs() - (this.#answeredAtMs ?? -Infinity);
    if (agoMs < SHORTEST_MS) {
      const message = 'the CA does not know the account, which it was asked to register anew less than an hour ago';
      throw new LanyardError('authority-protocol', { message, cause });
    }
    this.#isNoted = true;
    this.#log.warn({ reason: cause.message }, 'the CA has forgotten the account; its key is registered anew');
  }

  /** The CA has answered the registration, whatever it said. */
  settle(): void {
    if (!this.#isNoted) return;
    this.#isNoted = false;
    this.#answeredAtMs = this.#clock.monotonicMs();
  }
}
