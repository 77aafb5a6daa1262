/** Port: where challenge records are put up for the CA to read. */

export interface ChallengeBoard {
  /**
   * Adds the record to those of its name and resolves when it is served everywhere. Idempotent.
   * @throws LanyardError `dns-serving-failed` | `dns-record-refused` | `config-invalid`.
   */
  put(record: ChallengeRecord): Promise<void>;
  /** Takes the record down again; harmless when it is not there. */
  clear(record: ChallengeRecord): Promise<void>;
  /** Every challenge record that is up, to find those whose order is gone. */
  list(): Promise<readonly ChallengeRecord[]>;
}

export interface ChallengeRecord {
  readonly kind: ChallengeRecordKind;
  /** `txt`: the owner, without a trailing dot. `http`: the host that the CA asks. */
  readonly name: string;
  /** `txt`: the text. `http`: the key authorization (RFC 8555 §8.3), its token is what stands before the dot. */
  readonly value: string;
}

export type ChallengeRecordKind = 'txt' | 'http';
