/** A CA's order object (RFC 8555 §7.1.3), made ours. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AuthorityOrder, OrderStatus } from '../certificates/authority.ts';
import { parseCaUrl } from './ca-url.ts';
import { isObject, parseProblem } from './problems.ts';

const STATUSES: readonly OrderStatus[] = ['pending', 'ready', 'processing', 'valid', 'invalid'];
/** Names of one certificate at Let's Encrypt; ours have one or two. */
const MOST_AUTHORIZATIONS = 100;

/** @throws LanyardError `authority-protocol` */
export function parseOrder(document: unknown, url: string, retryAfterMs: number | undefined): AuthorityOrder {
  if (!isObject(document)) throw broken('no JSON object');
  const status = STATUSES.find((known) => known === document['status']);
  if (status === undefined) throw broken('no known status');
  const finalizeUrl = parseCaUrl(document['finalize']);
  if (finalizeUrl === undefined) throw broken('no finalize URL');
  const certificateUrl = parseCaUrl(document['certificate']);
  if (status === 'valid' && certificateUrl === undefined) throw broken('valid, but no certificate URL');
  const problem = parseProblem(document['error']);
  return {
    url,
    status,
    authorizationUrls: authorizationUrls(document['authorizations']),
    finalizeUrl,
    ...(certificateUrl === undefined ? {} : { certificateUrl }),
    ...(problem === undefined ? {} : { problem }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function authorizationUrls(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_AUTHORIZATIONS) {
    throw broken(`not 1 to ${MOST_AUTHORIZATIONS} authorizations`);
  }
  return value.map((entry: unknown) => {
    const url = parseCaUrl(entry);
    if (url === undefined) throw broken('an authorization is no https URL');
    return url;
  });
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's order makes no sense: ${fault}` });
}
