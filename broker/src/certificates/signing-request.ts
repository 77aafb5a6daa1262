/** Port: reading what an appliance's signing request asks for. */

export interface SigningRequest {
  /** From the subject alternative name, lower case. Only compared; what is ordered comes from the binding. */
  readonly names: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
}

/** @throws LanyardError `csr-invalid` | `csr-weak-key`. */
export type ReadSigningRequest = (der: Uint8Array) => Promise<SigningRequest>;
