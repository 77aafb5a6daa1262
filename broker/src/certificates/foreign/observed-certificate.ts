/** Port: reading a certificate that somebody saw in a log of Certificate Transparency (RFC 6962, RFC 9162). */

/** Also a precertificate: of the same serial number and key as the certificate, and another fingerprint. */
export interface ObservedCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** Every DNS name that it claims, common name included; lower case, printable, well-formed or not. */
  readonly names: readonly string[];
  /** Serial number, lower-case hex. */
  readonly serial: string;
  /** In one printable line, for people; cut when it is long. */
  readonly issuer: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * @param pem one certificate, or a chain with the leaf first; what follows the first is not looked at.
 * @throws LanyardError `certificate-unreadable`.
 */
export type ReadObservedCertificate = (pem: string) => ObservedCertificate;
