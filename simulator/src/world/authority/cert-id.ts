/** The name that ARI has for a certificate (RFC 9773 §4.1): issuer's key identifier and serial, both in base64url. */
import { Problem } from './problems.ts';

export interface CertId {
  readonly authorityKeyId: string;
  /** Hex, as the CA's own records have it. */
  readonly serial: string;
}

/** @param serial the content octets of the DER integer in hex, a leading 00 included. */
export function writeCertId(id: CertId): string {
  return `${id.authorityKeyId}.${Buffer.from(id.serial, 'hex').toString('base64url')}`;
}

/** @throws Problem `malformed` when it is not two parts of unpadded base64url. */
export function readCertId(text: string): CertId {
  const match = /^([\w-]{1,64})\.([\w-]{1,64})$/.exec(text);
  if (match === null) throw new Problem('malformed', 'Invalid path: certID is not of the form aki.serial');
  return { authorityKeyId: match[1] ?? '', serial: Buffer.from(match[2] ?? '', 'base64url').toString('hex') };
}
