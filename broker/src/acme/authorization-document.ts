/** A CA's authorization object (RFC 8555 §7.1.4), made ours as far as one kind of challenge goes. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AuthorityProblem, AuthorizationStatus } from '../certificates/authority.ts';
import type { ChallengeKind } from '../certificates/challenge-kind.ts';
import { parseCaUrl } from './ca-url.ts';
import { isObject, parseProblem } from './problems.ts';

export interface AuthorizationDocument {
  /** Lower case, without the wildcard's asterisk. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly status: AuthorizationStatus;
  readonly challenge: ChallengeDocument | undefined;
  readonly problem: AuthorityProblem | undefined;
}

export interface ChallengeDocument {
  readonly url: string;
  /** Empty in the kind that has none: dns-persist-01. */
  readonly token: string;
  /** What the CA calls itself in DNS; empty in the kinds that do not say: all but dns-persist-01. */
  readonly issuer: string;
}

const STATUSES: readonly AuthorizationStatus[] = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'];
/** RFC 8555 §8.3: base64url of at least 128 bits. */
const TOKEN = /^[A-Za-z0-9_-]{22,256}$/;
/** A host name as we order them: labels of letters, digits and hyphens. */
const NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** There are six kinds of challenge. */
const MOST_CHALLENGES = 32;

/** @throws LanyardError `authority-protocol` */
export function parseAuthorization(document: unknown, kind: ChallengeKind): AuthorizationDocument {
  if (!isObject(document)) throw broken('no JSON object');
  const status = STATUSES.find((known) => known === document['status']);
  if (status === undefined) throw broken('no known status');
  const identifier = document['identifier'];
  const name = isObject(identifier) && identifier['type'] === 'dns' ? identifier['value'] : undefined;
  if (typeof name !== 'string' || !NAME.test(name.toLowerCase())) throw broken('not about a DNS name');
  const found = findChallenge(document['challenges'], kind);
  return {
    name: name.toLowerCase(),
    isWildcard: document['wildcard'] === true,
    status,
    challenge: found && parseChallenge(found, kind),
    problem: parseProblem(found?.['error']),
  };
}

function findChallenge(challenges: unknown, kind: ChallengeKind): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(challenges) || challenges.length > MOST_CHALLENGES) throw broken('no list of challenges');
  return challenges.filter(isObject).find((challenge) => challenge['type'] === kind);
}

function parseChallenge(challenge: Readonly<Record<string, unknown>>, kind: ChallengeKind): ChallengeDocument {
  const url = parseCaUrl(challenge['url']);
  if (url === undefined) throw broken(`its ${kind} challenge has no URL`);
  if (kind === 'dns-persist-01') return { url, token: '', issuer: issuerOf(challenge['issuer-domain-names']) };
  const token = challenge['token'];
  if (typeof token !== 'string' || !TOKEN.test(token)) throw broken(`its ${kind} challenge has no token`);
  return { url, token, issuer: '' };
}

/** draft-ietf-acme-dns-persist-01: any one of those that the CA goes by, of which there are ten at most. */
function issuerOf(names: unknown): string {
  const [first]: readonly unknown[] = Array.isArray(names) ? names : [];
  if (typeof first !== 'string' || !NAME.test(first)) throw broken('its dns-persist-01 challenge names no issuer');
  return first;
}

function broken(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the CA's authorization makes no sense: ${fault}` });
}
