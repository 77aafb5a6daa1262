/** What a CA wants to find for each kind of challenge. */
import { createHash } from 'node:crypto';
import type { ChallengeRecord } from '../certificates/challenge-board.ts';
import type { ChallengeKind } from '../certificates/challenge-kind.ts';

export interface ChallengeFacts {
  /** Without the wildcard's asterisk. */
  readonly name: string;
  readonly isWildcard: boolean;
  /** Token and thumbprint of the account's key (RFC 8555 §8.1). */
  readonly keyAuthorization: string;
  readonly accountUrl: string;
  /** The CA's name, as it wants to be called in `dns-persist-01`. */
  readonly issuer: string;
}

export function challengeRecord(kind: ChallengeKind, facts: ChallengeFacts): ChallengeRecord {
  const { name, isWildcard, keyAuthorization, accountUrl, issuer } = facts;
  switch (kind) {
    // RFC 8555 §8.4.
    case 'dns-01':
      return { kind: 'txt', name: `_acme-challenge.${name}`, value: digestOf(keyAuthorization) };
    // draft-ietf-acme-dns-account-label-02: two issuers of one name do not meet at one owner.
    case 'dns-account-01':
      return {
        kind: 'txt',
        name: `_${accountLabel(accountUrl)}._acme-challenge.${name}`,
        value: digestOf(keyAuthorization),
      };
    // draft-ietf-acme-dns-persist-01. Without persistUntil: it is taken down as soon as the order is over.
    case 'dns-persist-01': {
      const policy = isWildcard ? '; policy=wildcard' : '';
      return {
        kind: 'txt',
        name: `_validation-persist.${name}`,
        value: `${issuer}; accounturi=${accountUrl}${policy}`,
      };
    }
    // RFC 8555 §8.3.
    case 'http-01':
      return { kind: 'http', name, value: keyAuthorization };
  }
}

function digestOf(keyAuthorization: string): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}

/** RFC 4648 §6, in lower case. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Of 5 bits each: the first 10 bytes of the digest. */
const LABEL_CHARACTERS = 16;

function accountLabel(accountUrl: string): string {
  const digest = BigInt(`0x${createHash('sha256').update(accountUrl).digest('hex').slice(0, 20)}`);
  return Array.from({ length: LABEL_CHARACTERS }, (_, index) => {
    const shift = BigInt(5 * (LABEL_CHARACTERS - 1 - index));
    return BASE32.charAt(Number((digest >> shift) & 31n));
  }).join('');
}
