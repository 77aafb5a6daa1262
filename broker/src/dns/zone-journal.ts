/** Port: where the records of the zones outlive the process. */

export interface ZoneRecord {
  /** Lower case, no trailing dot. */
  readonly owner: string;
  readonly type: ZoneRecordType;
  /** An IP literal, a text, or `<flags> <tag> "<value>"` for CAA, which stands at the apex alone. */
  readonly data: string;
}

export type ZoneRecordType = 'A' | 'AAAA' | 'TXT' | 'CAA';

export interface ZoneJournal {
  /**
   * Applies the change and bumps the zone's serial (RFC 1982, 32 bit) in one transaction; returns the serial after
   * it. A change that changes nothing keeps the serial.
   */
  change(
    apex: string,
    change: { readonly add: readonly ZoneRecord[]; readonly remove: readonly ZoneRecord[] },
  ): Promise<number>;
  /** Makes `records` the whole set of the given owner and types, same rules. */
  replace(
    apex: string,
    owner: string,
    types: readonly ZoneRecord['type'][],
    records: readonly ZoneRecord[],
  ): Promise<number>;
  /** A new serial though nothing changed, for secondaries that may have seen the last one with other records. */
  touch(apex: string): Promise<number>;
  /** The zone with its serial, only records of `types` if given (0 → first call creates it with serial 1). */
  load(
    apex: string,
    types?: readonly ZoneRecordType[],
  ): Promise<{ readonly serial: number; readonly records: readonly ZoneRecord[] }>;
  /** The records of some thousand owners that come behind the owner `after` in the journal's own order. */
  page(apex: string, after: string): Promise<ZonePage>;
}

export interface ZonePage {
  /** JSON of a list of `ZoneRecord`: a text crosses from thread to thread for a tenth of what objects cost. */
  readonly records: string;
  /** What to give as `after` for the next page; undefined: this is the last. */
  readonly next: string | undefined;
}
