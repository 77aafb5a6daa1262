/** Port: how one of the CA's vantage points looks up DNS. */

export interface CaaRecord {
  /** RFC 8659 §4.1.1: an unknown property with this flag forbids issuance. */
  readonly isCritical: boolean;
  readonly tag: string;
  readonly value: string;
}

export interface Resolver {
  /**
   * The values of all TXT records, each with its strings joined; none when the name exists without one.
   * @throws LookupFailure, for NXDOMAIN too.
   */
  txt(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * The relevant record set of RFC 8659 §3: of the name or of the closest name above it that has one.
   * @throws LookupFailure, never for NXDOMAIN.
   */
  caa(name: string, signal: AbortSignal): Promise<readonly CaaRecord[]>;
}

export interface LookupFailureOptions {
  readonly type: string;
  readonly name: string;
  /** What the resolver makes of it: a response code, or that nobody answered. */
  readonly outcome: 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'query timed out';
  /** Which fault of the name server led to it. */
  readonly reason?: string;
}

/** A lookup without a usable answer, in Boulder's words. */
export class LookupFailure extends Error {
  readonly outcome: LookupFailureOptions['outcome'];

  constructor(options: LookupFailureOptions) {
    const hint = options.reason === undefined ? HINTS[options.outcome] : ` - ${options.reason}`;
    super(`DNS problem: ${options.outcome} looking up ${options.type} for ${options.name}${hint}`);
    this.name = 'LookupFailure';
    this.outcome = options.outcome;
  }
}

const HINTS = {
  NXDOMAIN: ' - check that a DNS record exists for this domain',
  SERVFAIL: " - the domain's nameservers may be malfunctioning",
  REFUSED: " - the domain's nameservers may be malfunctioning",
  'query timed out': '',
} as const;
