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
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** @throws LanyardError `authority-protocol` when the text is not a chain of certificates. */
export type ReadIssuedChain = (pem: string) => IssuedChain;
