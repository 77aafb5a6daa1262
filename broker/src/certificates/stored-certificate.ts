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
  /** When the appliance is asked for a renewal. */
  readonly renewAtMs: number;
  /** When the appliance said that it serves it; absent until then. */
  readonly installedAtMs?: number;
}

/** What an appliance is given. */
export interface CertificateWithChain extends StoredCertificate {
  /** PEM, leaf first, as the CA gave it. */
  readonly chain: string;
}
