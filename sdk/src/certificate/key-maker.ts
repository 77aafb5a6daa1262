/** Port: makes the keys of certificates, and signs requests with them. */

export interface KeyPair {
  /** PKCS#8 PEM. Never logged, never sent. */
  readonly keyPem: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
}

export interface KeyMaker {
  makeKeyPair(): Promise<KeyPair>;
  /** DER of a PKCS#10 request for exactly these names. */
  makeSigningRequest(request: { readonly keyPem: string; readonly names: readonly string[] }): Promise<Uint8Array>;
}
