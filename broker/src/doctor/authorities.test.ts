import { expect, test } from 'vitest';
import type { HttpAnswer, Silence } from './ask-http.ts';
import { examineAuthority } from './authorities.ts';
import type { AccountState } from './authorities.ts';
import { complaintsOf } from './test-world.ts';

const url = 'https://ca.example/directory';
const account: AccountState = { kind: 'known', url: 'https://ca.example/1', status: 'valid' };
const document = {
  newNonce: 'https://ca.example/nonce',
  newAccount: 'https://ca.example/account',
  newOrder: 'https://ca.example/order',
  meta: { caaIdentities: ['CA.example'], profiles: { shortlived: 'six days' } },
};
const answer: HttpAnswer = { kind: 'answer', status: 200, aheadMs: 7, document };

interface Case {
  readonly answer?: HttpAnswer | Silence;
  readonly profile?: string;
  readonly account?: AccountState;
}

const examined = (given: Case) =>
  examineAuthority(
    { directoryUrl: url, profile: given.profile, rootsPem: undefined, account: async () => given.account ?? account },
    async () => given.answer ?? answer,
  );

test.each<readonly [string, Case, readonly string[]]>([
  ['all is well', { profile: 'shortlived' }, []],
  ['no answer', { answer: { kind: 'silence', reason: 'ECONNREFUSED' } }, ['error ca-directory']],
  ['a maintenance page', { answer: { ...answer, document: undefined } }, ['error ca-directory']],
  ['an error', { answer: { ...answer, status: 503 } }, ['error ca-directory']],
  ['another API', { answer: { ...answer, document: { hello: 'world' } } }, ['error ca-directory']],
  ['a profile that is not there', { profile: 'classic' }, ['error ca-profile']],
  ['no account yet', { account: { kind: 'none', reason: 'no file' } }, ['warning account']],
  ['an unknown account', { account: { kind: 'refused', reason: 'it does not know this key' } }, ['error account']],
  ['a deactivated account', { account: { ...account, status: 'deactivated' } }, ['error account']],
])('%s', async (_name, given, expected) => {
  expect(complaintsOf((await examined(given)).findings)).toEqual(expected);
});

test('it tells the time and what it calls itself', async () => {
  expect(await examined({})).toMatchObject({ aheadMs: 7, identities: ['ca.example'] });
});
