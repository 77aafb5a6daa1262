/** What a CA shows to everybody, unsigned and without a nonce: its directory (RFC 8555 §7.1.1), renewal information. */
import { isSuccess, parseJson, refused } from './answer.ts';
import type { CaTransport } from './transport.ts';

export interface Shown {
  /** Undefined when it was not JSON. */
  readonly document: unknown;
  readonly retryAfterMs: number | undefined;
}

/** @throws LanyardError for an answer that is no success, and for none. */
export async function plainGet(transport: CaTransport, url: string, signal: AbortSignal): Promise<Shown> {
  const answer = await transport.send({ method: 'GET', url }, signal);
  const document = parseJson(answer.text);
  if (!isSuccess(answer)) throw refused(answer, document, 'service');
  return { document, retryAfterMs: answer.retryAfterMs };
}
