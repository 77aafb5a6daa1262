/** Port: what a key and its certificate chain say, and whether they may be installed. */
import { createPublicKey } from 'node:crypto';
import { keyHashOf, readCredential, readKey } from './credential.ts';
import type { Credential } from './credential.ts';
import type { TrustedRoots } from './trusted-roots.ts';
import { verifyCertificate } from './verification.ts';
import type { Candidate, VerificationTime } from './verification.ts';

export interface CertificateReader {
  /** @throws LanyardError `certificate-refused` when they cannot be read or do not belong together. */
  read(keyPem: string, chainPem: string): Credential;
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. @throws LanyardError `certificate-refused`. */
  keyHash(keyPem: string): string;
  /** Everything that must hold before an installation. @throws LanyardError `certificate-refused`. */
  verify(candidate: Candidate, time: VerificationTime): Credential;
}

/** X.509 by the OpenSSL that comes with Node. */
export function x509Reader(roots: TrustedRoots): CertificateReader {
  return {
    read: readCredential,
    keyHash: (keyPem) => keyHashOf(createPublicKey(readKey(keyPem))),
    verify: (candidate, time) => verifyCertificate(candidate, roots, time),
  };
}
