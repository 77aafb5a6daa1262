/** Revocation by a certificate's own key (RFC 8555 §7.6): signed elsewhere, and nothing of our account is in it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { RevocationByKey, RevocationTicket } from '../certificates/authority.ts';
import { isSuccess, parseJson, refused } from './answer.ts';
import { parseCaUrl } from './ca-url.ts';
import type { Directory } from './directory.ts';
import { freshNonce } from './fresh-nonce.ts';
import { ALREADY_REVOKED, BAD_NONCE, problemType } from './problems.ts';
import { checkSignedRevocation } from './signed-revocation.ts';
import type { CaTransport } from './transport.ts';

/** What a request from elsewhere needs of this CA. */
export async function askTicket(
  transport: CaTransport,
  { document }: Directory,
  signal: AbortSignal,
): Promise<RevocationTicket> {
  const url = parseCaUrl(document['revokeCert']);
  const nonceUrl = parseCaUrl(document['newNonce']);
  if (url === undefined || nonceUrl === undefined) {
    throw new LanyardError('authority-refused', { message: 'the CA’s directory has no revokeCert' });
  }
  // Not from the pool: an appliance answers in its own time, and the newest nonce lives longest.
  return { url, nonce: await freshNonce(transport, nonceUrl, signal) };
}

/** Hands it in as it is, once. One that is revoked already stays so. */
export async function handIn(transport: CaTransport, revocation: RevocationByKey, signal: AbortSignal): Promise<void> {
  checkSignedRevocation(revocation);
  const { ticket, jws } = revocation;
  const answer = await transport.send({ method: 'POST', url: ticket.url, body: JSON.stringify(jws) }, signal);
  if (answer.nonce !== undefined) transport.nonces.put(answer.nonce);
  if (isSuccess(answer)) return;
  const error = refused(answer, parseJson(answer.text), 'service');
  const type = problemType(error);
  if (type === ALREADY_REVOKED) return;
  // Only who has the key can sign with another one.
  throw type === BAD_NONCE ? new LanyardError('authority-nonce-refused', { cause: error }) : error;
}
