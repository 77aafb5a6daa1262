/** Whether an appliance signed what it was asked to sign: the broker carries nothing else to the CA under its address. */
import { X509Certificate, verify } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { FlattenedJws } from '@lanyard/sdk/protocol';
import type { RevocationByKey } from '../certificates/authority.ts';
import { parseJson } from './answer.ts';
import { isObject } from './problems.ts';
import { REVOCATION_CODES } from './revocation-code.ts';

/** @throws LanyardError `revocation-unsigned`. */
export function checkSignedRevocation({ chain, ticket, jws }: RevocationByKey): void {
  const leaf = new X509Certificate(chain);
  const header = decode(jws.protected);
  const isSent = header['alg'] === 'ES256' && header['url'] === ticket.url && header['nonce'] === ticket.nonce;
  // With an account's URL it would be that account's request.
  if (!isSent || !isObject(header['jwk']) || 'kid' in header) throw unfit('its header is another');
  const payload = decode(jws.payload);
  const isLeaf = payload['certificate'] === leaf.raw.toString('base64url');
  if (!isLeaf || payload['reason'] !== REVOCATION_CODES['key-compromise']) throw unfit('it is for something else');
  if (!isSignedBy(leaf, jws)) throw unfit('it is not signed by the certificate’s key');
}

function isSignedBy({ publicKey: key }: X509Certificate, jws: FlattenedJws): boolean {
  const input = Buffer.from(`${jws.protected}.${jws.payload}`);
  return verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(jws.signature, 'base64url'));
}

function decode(part: string): Readonly<Record<string, unknown>> {
  const value = parseJson(Buffer.from(part, 'base64url').toString());
  return isObject(value) ? value : {};
}

function unfit(why: string): LanyardError {
  return new LanyardError('revocation-unsigned', { message: `the appliance’s answer is not its revocation: ${why}` });
}
