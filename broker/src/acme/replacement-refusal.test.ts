import { LanyardError } from '@lanyard/sdk/kernel';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { describe, expect, test } from 'vitest';
import { problemError } from './problems.ts';
import { replacementError } from './replacement-refusal.ts';

const ACME = 'urn:ietf:params:acme:error:';

function refusal(status: number, type: string, subproblem?: string): LanyardError {
  const subproblems = subproblem === undefined ? [] : [{ type: ACME + subproblem, detail: 'below' }];
  const document = { type, detail: 'no', subproblems };
  return problemError({ status, document, subject: 'service', retryAfterMs: 5_000, nowMs: 0 });
}

describe('what newOrder’s refusal of an order that replaces means', () => {
  test.each<[status: number, type: string, code: ErrorCode]>([
    [409, 'alreadyReplaced', 'authority-replacement-refused'],
    // Boulder: another account’s certificate; no name in common.
    [403, 'unauthorized', 'authority-replacement-refused'],
    [400, 'malformed', 'authority-replacement-refused'],
    // Boulder: an unknown certificate; ZeroSSL; Actalis.
    [404, 'malformed', 'authority-replacement-refused'],
    [401, 'unauthorized', 'authority-replacement-refused'],
    [400, 'compound', 'authority-replacement-refused'],
    [400, 'aTypeOfTheFuture', 'authority-replacement-refused'],
    [403, 'rejectedIdentifier', 'authority-rejected-name'],
    [400, 'unsupportedIdentifier', 'authority-rejected-name'],
    [403, 'caa', 'authority-rejected-name'],
    [429, 'rateLimited', 'authority-rate-limited'],
    [400, 'badNonce', 'authority-protocol'],
    [403, 'userActionRequired', 'authority-refused'],
    [400, 'accountDoesNotExist', 'authority-refused'],
    [400, 'invalidProfile', 'authority-refused'],
    [403, 'externalAccountRequired', 'authority-refused'],
    [400, 'badPublicKey', 'authority-refused'],
    [400, 'badSignatureAlgorithm', 'authority-refused'],
    [503, 'malformed', 'authority-rate-limited'],
    [500, 'unauthorized', 'authority-unreachable'],
  ])('%i %s', (status, type, code) => {
    expect(replacementError(refusal(status, ACME + type))).toMatchObject({ code });
  });

  test('Pebble’s 500 for a certificate that it did not issue is about the replacement', () => {
    const detail = 'could not find an order for the given certificate: could not find order resulting in …';
    const document = { type: `${ACME}serverInternal`, detail };
    const error = problemError({ status: 500, document, subject: 'service', retryAfterMs: undefined, nowMs: 0 });
    expect(replacementError(error)).toMatchObject({ code: 'authority-replacement-refused', cause: error });
  });

  test('a type without the prefix of RFC 8555 may mean anything, also that', () => {
    expect(replacementError(refusal(400, 'about:blank'))).toMatchObject({ code: 'authority-replacement-refused' });
  });

  test('subproblems speak first', () => {
    const error = refusal(400, `${ACME}malformed`, 'rejectedIdentifier');
    expect(replacementError(error)).toBe(error);
  });

  test('the CA’s own words, the time to wait and the first error stay', () => {
    const error = refusal(400, `${ACME}malformed`);
    const { message, details, retryAfterMs } = error;
    expect(replacementError(error)).toMatchObject({ message, details, retryAfterMs, cause: error });
  });

  test.each([
    ['no answer of a CA', new LanyardError('authority-refused', { message: 'the CA has no profile x' })],
    ['no error of ours', new TypeError('x')],
    ['no error at all', undefined],
  ])('%s stays what it is', (_, error) => {
    expect(replacementError(error)).toBe(error);
  });
});
