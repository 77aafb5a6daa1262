import { expect, test } from 'vitest';
import { CHALLENGE_KINDS } from '../certificates/challenge-kind.ts';
import type { ChallengeKind } from '../certificates/challenge-kind.ts';
import { challengeRecord } from './challenge-record.ts';

const facts = {
  name: 'example.org',
  isWildcard: false,
  keyAuthorization: 'token.thumbprint',
  accountUrl: 'https://example.com/acme/acct/ExampleAccount',
  issuer: 'ca.example',
};
/** `printf token.thumbprint | openssl dgst -sha256 -binary | basenc --base64url` without its `=`. */
const DIGEST = '61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I';

const expected: Readonly<Record<ChallengeKind, readonly [kind: string, name: string, value: string]>> = {
  'dns-01': ['txt', '_acme-challenge.example.org', DIGEST],
  // The draft's own example.
  'dns-account-01': ['txt', '_ujmmovf2vn55tgye._acme-challenge.example.org', DIGEST],
  'dns-persist-01': ['txt', '_validation-persist.example.org', `ca.example; accounturi=${facts.accountUrl}`],
  'http-01': ['http', 'example.org', 'token.thumbprint'],
};

test.each(CHALLENGE_KINDS)('the record of %s', (challengeKind) => {
  const [kind, name, value] = expected[challengeKind];
  expect(challengeRecord(challengeKind, facts)).toEqual({ kind, name, value });
});

test.each(CHALLENGE_KINDS)(
  'for a wildcard the record of %s stands at the same name, and dns-persist-01 says so',
  (kind) => {
    const plain = challengeRecord(kind, facts);
    const suffix = kind === 'dns-persist-01' ? '; policy=wildcard' : '';
    expect(challengeRecord(kind, { ...facts, isWildcard: true })).toEqual({ ...plain, value: plain.value + suffix });
  },
);
