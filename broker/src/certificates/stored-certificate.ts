/** A certificate as the broker remembers it: what it is asked about at every hello, without the bulk. */
export interface StoredCertificate {
  readonly deviceId: string;
  readonly orderId: string;
  readonly names: readonly string[];
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly keyHash: string;
  /** Serial number, lower-case hex. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly issuedAtMs: number;
  /** The account that it was issued to, as in `AuthorityTerms.id`. */
  readonly authority: string;
  /** What its CA calls it in renewal information (RFC 9773 §4.1); absent when it cannot be told. */
  readonly renewalId?: string;
  /** When the CA wants it renewed, as it last said. */
  readonly window?: RenewalWindow;
  /** A page on which the CA explains the window. */
  readonly explanationUrl?: string;
  /** When the appliance is asked for a renewal: thrown once for each window. */
  readonly renewAtMs: number;
  /** When the CA is asked for renewal information; absent: never. */
  readonly lookUpAtMs?: number;
  /** When the broker renews it by itself, should the appliance not have asked; absent: never. */
  readonly unattendedAtMs?: number;
  /** Since when the appliance was missed as this one was ordered in its absence; absent: the appliance asked for it. */
  readonly asleepSinceMs?: number;
  /** By us, on an operator's order. */
  readonly revocation?: Revocation;
  /** When the appliance said that it serves it; absent until then. */
  readonly installedAtMs?: number;
}

/** What an appliance is given. */
export interface CertificateWithChain extends StoredCertificate {
  /** PEM, leaf first, as the CA gave it. */
  readonly chain: string;
}

export interface Revocation {
  readonly reason: RevocationReason;
  readonly atMs: number;
}

/** What a subscriber may say (RFC 5280 §5.3.1; Baseline Requirements §4.9.1.1). */
export const REVOCATION_REASONS = ['unspecified', 'key-compromise', 'superseded', 'cessation'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** RFC 9773 §4.2: from the first instant to just before the last, epoch milliseconds. */
export interface RenewalWindow {
  readonly startMs: number;
  readonly endMs: number;
}
