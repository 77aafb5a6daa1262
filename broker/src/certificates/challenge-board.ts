/** Port: where challenge records are put up for the CA to read. */

export interface ChallengeBoard {
  /**
   * Adds `value` to the TXT set at `name` and resolves when every name server serves it. Idempotent.
   * @param name owner without a trailing dot. @throws LanyardError `dns-serving-failed`.
   */
  put(name: string, value: string): Promise<void>;
  /** Takes `value` out of the set again; harmless when it is not there. */
  clear(name: string, value: string): Promise<void>;
  /** Every challenge record that is up, to find those whose order is gone. */
  list(): Promise<readonly ChallengeRecord[]>;
}

export interface ChallengeRecord {
  readonly name: string;
  readonly value: string;
}
