/** A nonce from the CA's newNonce (RFC 8555 §7.2). */
import { LanyardError } from '@lanyard/sdk/kernel';
import { isSuccess, parseJson, refused } from './answer.ts';
import { isNonce } from './nonce-pool.ts';
import type { CaTransport } from './transport.ts';

/** @throws LanyardError for an answer that is no success, for one without a nonce, and for none. */
export async function freshNonce(transport: CaTransport, url: string, signal: AbortSignal): Promise<string> {
  const answer = await transport.send({ method: 'HEAD', url }, signal);
  if (!isSuccess(answer)) throw refused(answer, parseJson(answer.text), 'service');
  if (answer.nonce !== undefined && isNonce(answer.nonce)) return answer.nonce;
  throw new LanyardError('authority-protocol', {
    message: 'the answer of the CA makes no sense: newNonce brought no nonce',
  });
}
