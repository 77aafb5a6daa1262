/** A CA's authorization object (RFC 8555 §7.1.4), made ours as far as dns-01 goes. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AuthorityProblem, AuthorizationStatus } from '../certificates/authority.ts';
import { parseCaUrl } from './ca-url.ts';
import { isObject, parseProblem } from './problems.ts';

export interface AuthorizationDocument {
  /** Lower case, without the wildcard's asterisk. */
  readonly name: string;
  readonly status: AuthorizationStatus;
  readonly dns01: { readonly url: string; readonly token: string } | undefined;
  readonly problem: AuthorityProblem | undefined;
}

const STATUSES: readonly AuthorizationStatus[] = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'];
/** RFC 8555 §8.3: base64url of at least 128 bits. */
const TOKEN = /^[A-Za-z0-9_-]{22,256}$/;
/** A host name as we order them: labels of letters, digits and hyphens. */
const NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** There are five kinds of challenge. */
const MOST_CHALLENGES = 32;

/** @throws LanyardError `authority-protocol` */
export function parseAuthorization(document: unknown): AuthorizationDocument {
  if (!isObject(document)) throw broken('no JSON object');
  const status = STATUSES.find((known) => known === document['status']);
  if (status === undefined) throw broken('no known status');
  const identifier = document['identifier'];
  const name = isObject(identifier) && identifier['type'] === 'dns' ? identifier['value'] : undefined;
  if (typeof name !== 'string' || !NAME.test(name.toLowerCase())) throw broken('not about a DNS name');
  const dns01 = findDns01(document['challenges']);
  return { name: name.toLowerCase(), status, dns01: parseDns01(dns01), problem: parseProblem(dns01?.['error']) };
}

function findDns01(challenges: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(challenges) || challenges.length > MOST_CHALLENGES) throw broken('no list of challenges');
  return challenges.filter(isObject).find((challenge) => challenge['type'] === 'dns-01');
}

function parseDns01(challenge: Readonly<Record<string, unknown>> | undefined): AuthorizationDocument['dns01'] {
  if (challenge === undefined) return undefined;
  const url = parseCaUrl(challenge['url']);
  const token = challenge['token'];
  if (url === undefined || typeof token !== 'string' || !TOKEN.test(token)) {
    throw broken('its dns-01 challenge has no URL or no token');
  }
  return { url, token };
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's authorization makes no sense: ${fault}` });
}
