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
  /** The whole zone with its serial (0 → first call creates it with serial 1). */
  load(apex: string): Promise<{ readonly serial: number; readonly records: readonly ZoneRecord[] }>;
}
