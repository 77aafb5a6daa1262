import type { ErrorCode } from '@lanyard/sdk/kernel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROBLEM_CODES, parseProblem, problemError } from './problems.ts';
import type { Subject } from './problems.ts';

const ACME = 'urn:ietf:params:acme:error:';
const NOW_MS = Date.UTC(2026, 10, 23, 9);

/** What each type means, by the subject of the request, at status 400. */
const TABLE: Readonly<Record<string, ErrorCode | Readonly<Record<Subject, ErrorCode>>>> = {
  accountDoesNotExist: 'authority-refused',
  alreadyReplaced: 'authority-replacement-refused',
  alreadyRevoked: 'authority-refused',
  badCSR: 'authority-refused',
  badNonce: 'authority-protocol',
  badPublicKey: 'authority-refused',
  badRevocationReason: 'authority-refused',
  badSignatureAlgorithm: 'authority-refused',
  caa: 'authority-rejected-name',
  compound: 'authority-refused',
  connection: 'authority-validation-failed',
  dns: 'authority-validation-failed',
  externalAccountRequired: 'authority-refused',
  incorrectResponse: 'authority-validation-failed',
  invalidContact: 'authority-refused',
  invalidProfile: 'authority-refused',
  malformed: 'authority-refused',
  orderNotReady: 'authority-protocol',
  rateLimited: 'authority-rate-limited',
  rejectedIdentifier: 'authority-rejected-name',
  serverInternal: 'authority-unreachable',
  tls: 'authority-validation-failed',
  unauthorized: {
    service: 'authority-refused',
    order: 'authority-refused',
    challenge: 'authority-validation-failed',
  },
  unsupportedContact: 'authority-refused',
  unsupportedIdentifier: 'authority-rejected-name',
  userActionRequired: 'authority-refused',
  aTypeOfTheFuture: 'authority-refused',
};
const SUBJECTS: readonly Subject[] = ['service', 'order', 'challenge'];

function codeOf(status: number, document: unknown, subject: Subject = 'service'): ErrorCode {
  return problemError({ status, document, subject, retryAfterMs: undefined, nowMs: NOW_MS }).code;
}

test('the table of types is complete', () => {
  expect(Object.keys(TABLE)).toEqual(expect.arrayContaining(Object.keys(PROBLEM_CODES)));
});

test('a type named like a member of every object is a type of the future', () => {
  expect(codeOf(400, { type: `${ACME}constructor`, detail: 'x' })).toBe('authority-refused');
});

describe.each(SUBJECTS)('about %s', (subject) => {
  test.each(Object.entries(TABLE))('%s', (type, expected) => {
    const code = typeof expected === 'string' ? expected : expected[subject];
    expect(codeOf(400, { type: ACME + type, detail: 'x' }, subject)).toBe(code);
  });
});

test.each<[number, string, ErrorCode, Subject]>([
  [429, 'with any type', 'authority-rate-limited', 'service'],
  [503, 'with any type', 'authority-rate-limited', 'order'],
  [500, 'with any type', 'authority-unreachable', 'service'],
  [502, 'with any type', 'authority-unreachable', 'order'],
  [408, 'with any type', 'authority-unreachable', 'order'],
  [404, 'about an order', 'authority-order-lost', 'order'],
  [410, 'about an order', 'authority-order-lost', 'order'],
  [404, 'about a challenge', 'authority-order-lost', 'challenge'],
  [404, 'about the service', 'authority-refused', 'service'],
  [302, 'a redirect', 'authority-protocol', 'service'],
  [100, 'a status that is none', 'authority-protocol', 'service'],
])('status %i, %s, is %s', (status, _what, code, subject) => {
  expect(codeOf(status, { type: `${ACME}malformed`, detail: 'x' }, subject)).toBe(code);
});

test.each([undefined, null, 'text', 7, [], {}, { type: 7 }, { detail: '' }, { type: ['urn'] }])(
  '%j is no problem document: a client error with it is not RFC 8555',
  (document) => {
    expect(codeOf(403, document)).toBe('authority-protocol');
    expect(codeOf(500, document)).toBe('authority-unreachable');
    expect(codeOf(429, document)).toBe('authority-rate-limited');
  },
);

test('a problem without a type is about:blank, and a refusal', () => {
  expect(parseProblem({ title: 'Forbidden' })).toEqual({ type: 'about:blank', detail: 'Forbidden' });
  expect(codeOf(403, { title: 'Forbidden' })).toBe('authority-refused');
});

test('malformed and compound mean what their subproblems say (RFC 8555 §6.7.1)', () => {
  const subproblems = [
    { type: `${ACME}malformed`, detail: 'underscore', identifier: { type: 'dns', value: '_a.example' } },
    { type: `${ACME}rejectedIdentifier`, detail: 'not here', identifier: { type: 'dns', value: 'b.example' } },
  ];
  for (const type of ['malformed', 'compound']) {
    const document = { type: ACME + type, detail: 'some names were refused', subproblems };
    expect(codeOf(403, document)).toBe('authority-rejected-name');
    expect(parseProblem(document)?.detail).toBe('some names were refused; _a.example: underscore; b.example: not here');
  }
});

test('the error carries the document, the status, and when to try again', () => {
  const problem = { type: `${ACME}rateLimited`, detail: 'too many certificates' };
  const error = problemError({
    status: 429,
    document: problem,
    subject: 'service',
    retryAfterMs: 90_000,
    nowMs: NOW_MS,
  });
  expect(error).toMatchObject({
    code: 'authority-rate-limited',
    message: 'the CA refused: too many certificates',
    retryAfterMs: 90_000,
    details: { status: 429, problem },
  });
});

describe('a limit', () => {
  const detail = 'too many new orders (300) from this account in the last 3h0m0s, retry after 2026-11-23 10:00:00 UTC';
  const limited = (status: number, type: string, retryAfterMs?: number) =>
    problemError({ status, document: { type: ACME + type, detail }, subject: 'service', retryAfterMs, nowMs: NOW_MS });

  test('is named as far as the text says, and the text tells when, if no header does', () => {
    const error = limited(429, 'rateLimited');
    expect(error).toMatchObject({ code: 'authority-rate-limited', retryAfterMs: 3_600_000 });
    expect(error.details).toMatchObject({ status: 429, limit: 'new-orders' });
    expect(limited(400, 'rateLimited', 5_000)).toMatchObject({ retryAfterMs: 5_000, details: { limit: 'new-orders' } });
  });

  test('of requests from one address (503) has no name', () => {
    const { code, details } = limited(503, 'rateLimited');
    expect([code, details['status'], 'limit' in details]).toEqual(['authority-rate-limited', 503, false]);
  });

  test('is not read into other refusals', () => {
    const { retryAfterMs, details } = limited(403, 'unauthorized');
    expect([retryAfterMs, 'limit' in details]).toEqual([undefined, false]);
  });
});

test('a CA cannot write control characters into logs, nor fill them', () => {
  const parsed = parseProblem({ type: 'x'.repeat(5_000), detail: `a\u001B[31m\r\nb\u202Ec${'d'.repeat(100_000)}` });
  expect(parsed?.type).toHaveLength(200);
  expect(parsed?.detail.length).toBeLessThanOrEqual(1_000);
  expect(parsed?.detail.startsWith('a [31m b cd')).toBe(true);
});

test('no document, however odd, makes the mapping throw', () => {
  const tree = fc.anything({ maxDepth: 4 });
  const document = fc.oneof(
    tree,
    fc.record({ type: tree, detail: tree, subproblems: fc.oneof(tree, fc.array(tree, { maxLength: 20 })) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), document, fc.constantFrom(...SUBJECTS), (status, body, subject) => {
      expect(codeOf(status, body, subject)).toMatch(/^authority-/);
    }),
  );
});
