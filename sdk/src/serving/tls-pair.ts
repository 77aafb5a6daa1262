/** What a TLS server needs to show who it is. */
export interface TlsPair {
  /** PEM, PKCS#8. Never logged, never sent. */
  readonly keyPem: string;
  /** PEM, leaf first. */
  readonly chainPem: string;
}
