/** Port: reading a certificate chain that a CA handed out. */

export interface IssuedChain {
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the leaf key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  /** DNS names of the leaf, lower case. */
  readonly names: readonly string[];
  /** Serial number, lower-case hex. */
  readonly serial: string;
  /**
   * RFC 9773 §4.1: key identifier of the leaf's authority and serial number, each base64url, with a dot between. Absent
   * when the leaf names no authority key.
   */
  readonly renewalId?: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** @throws LanyardError `authority-protocol` when the text is not a chain of certificates. */
export type ReadIssuedChain = (pem: string) => IssuedChain;
