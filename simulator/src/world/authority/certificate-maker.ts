/** Port: who reads signing requests and makes certificates. The rules about both are the CA's, not the maker's. */

export interface CertificateMaker {
  /** @throws Problem `badCSR` */
  readRequest(der: Uint8Array): CertificateDraft;
}

/** A signing request that was understood. */
export interface CertificateDraft {
  /** Lower case, each once, sorted. */
  readonly names: readonly string[];
  /** One name for the key, the same whatever request it comes in. */
  readonly keyFingerprint: string;
  make(content: CertificateContent): MadeCertificate;
}

export interface CertificateContent {
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  /** The last second of the validity (RFC 5280 §4.1.2.5). */
  readonly notAfterMs: number;
  /** A fault: the certificate is to be for a key that nobody asked for. */
  readonly isForOtherKey: boolean;
}

export interface MadeCertificate {
  /** Lower-case hex of the serial's content octets, unique. */
  readonly serial: string;
  /** The issuer's key identifier in base64url: the first half of an ARI certID (RFC 9773 §4.1). */
  readonly authorityKeyId: string;
  readonly der: Uint8Array;
  readonly issuerPem: string;
}
