/** From the bytes of a question to the bytes of its answer. */
import type { CookieAnswer } from './cookie.ts';
import type { Defence } from './defence.ts';
import { encodeOverflow, encodeRefusal, encodeResponse } from './encode-response.ts';
import { parseQuery, type Query } from './parse-query.ts';
import { RCODE, type Transport } from './wire.ts';
import { BAD_COOKIE, answer, type Response, type Zone } from './zone.ts';

/** Where a question came from, and what is done about those who lie about it. */
export interface Source {
  readonly address: string;
  /** Undefined: no cookies and no limit. */
  readonly defence: Defence | undefined;
}

/** Undefined when the message deserves no answer. Synchronous, so one answer sees one state of the zones. */
export function respond(
  message: Buffer,
  transport: Transport,
  zones: readonly Zone[],
  source?: Source,
): Buffer | undefined {
  const parsed = parseQuery(message);
  switch (parsed.kind) {
    case 'drop':
      return undefined;
    case 'refusal':
      // A bare header is smaller than any truncated answer, so it slips as it is.
      return judge(transport, '', false, source) === 'drop' ? undefined : encodeRefusal(parsed);
    case 'query':
      return respondTo(parsed, answer(zones, parsed), transport, source);
  }
}

function respondTo(
  query: Query,
  response: Response,
  transport: Transport,
  source: Source | undefined,
): Buffer | undefined {
  const answered = cookieFor(query, source);
  // RFC 7873 §5.2.5: whoever sends our cookie back receives what is sent to it.
  if (answered?.isProof === true) return encodeResponse(query, response, transport, answered.cookie);
  const isPositive = response.rcode === RCODE.NOERROR && response.answer.length > 0;
  switch (judge(transport, response.apex, isPositive, source)) {
    case 'answer':
      return encodeResponse(query, response, transport, answered?.cookie);
    case 'slip':
      // RFC 7873 §5.2.3: who can keep a cookie need not come by TCP.
      if (answered !== undefined) return encodeResponse(query, BAD_COOKIE, transport, answered.cookie);
      return encodeOverflow(query, response, transport, undefined);
    case 'drop':
      return undefined;
  }
}

function cookieFor({ edns }: Query, source: Source | undefined): CookieAnswer | undefined {
  if (edns?.cookie === undefined || source?.defence === undefined) return undefined;
  return source.defence.cookies.answer(edns.cookie, source.address);
}

/** TCP has proved the sender by its handshake. */
function judge(transport: Transport, apex: string, isPositive: boolean, source: Source | undefined) {
  if (transport === 'tcp' || source?.defence?.limiter === undefined) return 'answer';
  const verdict = source.defence.limiter.judge(source.address, apex, isPositive);
  if (verdict !== 'answer') source.defence.suppressed.note(verdict, source.address);
  return verdict;
}
