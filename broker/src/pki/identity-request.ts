/** Reads an appliance's request for an identity certificate of the private CA. */
import { readCertificationRequest, refuseRequest } from './certification-request.ts';

export interface IdentityRequest {
  /** The one common name of the subject, if there is one: who the requester says it is. */
  readonly commonName?: string;
  /** SHA-256 of `spki`, lower-case hex. */
  readonly keyHash: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/**
 * Extensions that it asks for are not looked at: the private CA writes its own.
 * @throws LanyardError `csr-invalid` | `csr-weak-key`
 */
export function readIdentityRequest(der: Uint8Array): IdentityRequest {
  const { spki, keyHash, commonNames } = readCertificationRequest(der);
  const [commonName, ...others] = commonNames;
  if (others.length > 0) refuseRequest('it has several common names');
  return { spki, keyHash, ...(commonName === undefined ? {} : { commonName }) };
}
