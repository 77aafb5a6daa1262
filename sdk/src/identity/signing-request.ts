/** The request for a browser-trusted certificate: exactly the appliance's names, and nothing about the appliance. */
import { Extension, GeneralName, GeneralNames } from 'pkijs';
import type { CryptoEngine } from 'pkijs';
import { LanyardError } from '../kernel/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { makeCertificationRequest } from './certification-request.ts';

export interface SigningRequestContents {
  /** PKCS#8 PEM of a P-256 key. */
  readonly keyPem: string;
  /** The subject alternative names, in this order. */
  readonly names: readonly string[];
}

const SUBJECT_ALT_NAME = '2.5.29.17';
/** GeneralName's choice dNSName, RFC 5280 §4.2.1.6. */
const DNS_NAME = 2;

/** DER of a PKCS#10 request. Its subject is empty: CAs put no common name longer than 64 characters into one. */
export async function makeSigningRequest(
  { keyPem, names }: SigningRequestContents,
  engine?: CryptoEngine,
): Promise<Uint8Array> {
  if (names.length === 0 || names.length > LIMITS.names) {
    throw new LanyardError('csr-names', { message: `a signing request is for 1 to ${LIMITS.names} names` });
  }
  const general = new GeneralNames({ names: names.map((value) => new GeneralName({ type: DNS_NAME, value })) });
  const extnValue = general.toSchema().toBER(false);
  const subjectAltName = new Extension({ extnID: SUBJECT_ALT_NAME, critical: false, extnValue });
  return makeCertificationRequest({ keyPem, extensions: [subjectAltName] }, engine);
}
