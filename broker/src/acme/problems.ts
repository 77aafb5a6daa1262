/** What a CA's refusal means for us: from problem documents (RFC 7807, RFC 8555 §6.7) to typed errors. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import type { AuthorityProblem } from '../certificates/authority.ts';
import { namedLimit } from './named-limit.ts';
import { readRetryAfter } from './retry-after.ts';

/**
 * What the request was about: the CA's standing resources (directory, nonces, newAccount, newOrder), an object of one
 * order (order, authorization, finalize, certificate), or one of its challenges.
 */
export type Subject = 'service' | 'order' | 'challenge';

export interface Refusal {
  readonly status: number;
  /** The parsed body; undefined when it was not JSON. */
  readonly document: unknown;
  /** From the answer's header. */
  readonly retryAfterMs: number | undefined;
  readonly subject: Subject;
  /** When the answer came: its text may name an instant. */
  readonly nowMs: number;
}

const ACME = 'urn:ietf:params:acme:error:';
export const BAD_NONCE = `${ACME}badNonce`;
export const ALREADY_REVOKED = `${ACME}alreadyRevoked`;

/** RFC 8555 §6.7, RFC 9773 §7.4 (alreadyReplaced) and draft-ietf-acme-profiles (invalidProfile). */
export const PROBLEM_CODES: Readonly<Record<string, ErrorCode>> = {
  accountDoesNotExist: 'authority-refused',
  alreadyReplaced: 'authority-replacement-refused',
  alreadyRevoked: 'authority-refused',
  badCSR: 'authority-refused',
  // Met only after the bounded re-signing: a CA that keeps refusing its own nonces is broken.
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
  // The order is in another state than we thought (RFC 8555 §7.4): asking it again puts that right.
  orderNotReady: 'authority-protocol',
  rateLimited: 'authority-rate-limited',
  rejectedIdentifier: 'authority-rejected-name',
  serverInternal: 'authority-unreachable',
  tls: 'authority-validation-failed',
  unauthorized: 'authority-refused',
  unsupportedContact: 'authority-refused',
  unsupportedIdentifier: 'authority-rejected-name',
  userActionRequired: 'authority-refused',
};

/** The error for an answer that was not a success. Never throws, whatever the document. */
export function problemError(refusal: Refusal): LanyardError {
  const { document, status, nowMs } = refusal;
  const problem = parseProblem(document);
  const said = problem === undefined ? `HTTP status ${status}` : problem.detail || problem.type;
  const code = codeOf(refusal, problem);
  const spoken = code === 'authority-rate-limited' ? (problem?.detail ?? '') : '';
  const retryAfterMs = refusal.retryAfterMs ?? readRetryAfter(spoken, nowMs);
  // 503 is about requests from one address, whatever it says.
  const limit = status === 503 ? undefined : namedLimit(spoken);
  return new LanyardError(code, {
    message: `the CA refused: ${said}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: { status, ...(problem === undefined ? {} : { problem }), ...(limit === undefined ? {} : { limit }) },
  });
}

function codeOf({ status, document, subject }: Refusal, problem: AuthorityProblem | undefined): ErrorCode {
  // 503 with Retry-After is how Let's Encrypt answers above its per-endpoint ceilings.
  if (status === 429 || status === 503 || problem?.type === `${ACME}rateLimited`) return 'authority-rate-limited';
  if (status >= 500 || status === 408) return 'authority-unreachable';
  // An order's objects vanish together: Let's Encrypt answers 404 for expired orders and authorizations.
  if ((status === 404 || status === 410) && subject !== 'service') return 'authority-order-lost';
  // Not a success, not an error: redirects are not followed, since a signed request names its URL (RFC 8555 §6.4).
  if (status < 400) return 'authority-protocol';
  if (problem === undefined) return 'authority-protocol';
  if (problem.type === `${ACME}unauthorized` && subject === 'challenge') return 'authority-validation-failed';
  const code = typeCode(problem.type);
  if (problem.type !== `${ACME}malformed` && problem.type !== `${ACME}compound`) return code;
  // RFC 8555 §6.7.1: these two only say "look below" when there is something below.
  const below = subproblems(document).map((sub) => typeCode(sub.type));
  return below.find((found) => found !== 'authority-refused') ?? code;
}

/** A type that is not ours to know is a refusal all the same. */
function typeCode(type: string): ErrorCode {
  const name = problemName(type);
  return Object.hasOwn(PROBLEM_CODES, name) ? (PROBLEM_CODES[name] ?? 'authority-refused') : 'authority-refused';
}

/** `malformed` and so on; empty for types that are not of RFC 8555's registry. */
export function problemName(type: unknown): string {
  return typeof type === 'string' && type.startsWith(ACME) ? type.slice(ACME.length) : '';
}

/** Enough for Boulder's longest, which names every perspective that failed; short enough for a log line. */
const LONGEST_DETAIL = 1_000;
const LONGEST_TYPE = 200;
/** As many as a person reads. An order has one or two names. */
const MOST_SUBPROBLEMS = 10;

/**
 * A problem document from whatever the CA sent, its subproblems told in `detail`.
 * @returns undefined when it is none: neither type nor detail.
 */
export function parseProblem(document: unknown): AuthorityProblem | undefined {
  const problem = parseOne(document);
  if (problem === undefined) return undefined;
  const details = [problem.detail, ...subproblems(document).map((sub) => sub.detail)].filter((detail) => detail !== '');
  return { type: problem.type, detail: details.join('; ').slice(0, LONGEST_DETAIL) };
}

function subproblems(document: unknown): AuthorityProblem[] {
  if (!isObject(document) || !Array.isArray(document['subproblems'])) return [];
  const entries: readonly unknown[] = document['subproblems'].slice(0, MOST_SUBPROBLEMS);
  return entries.flatMap((entry) => {
    const problem = parseOne(entry);
    if (problem === undefined) return [];
    const name = isObject(entry) && isObject(entry['identifier']) ? text(entry['identifier']['value'], 255) : '';
    return [name === '' ? problem : { ...problem, detail: `${name}: ${problem.detail || problem.type}` }];
  });
}

function parseOne(document: unknown): AuthorityProblem | undefined {
  if (!isObject(document)) return undefined;
  const type = text(document['type'], LONGEST_TYPE);
  const detail = text(document['detail'], LONGEST_DETAIL) || text(document['title'], LONGEST_DETAIL);
  if (type === '' && detail === '') return undefined;
  // RFC 7807 §4.2: no type means about:blank.
  return { type: type || 'about:blank', detail };
}

/** Control characters would let a CA write into terminals and forge log lines. */
function text(value: unknown, longest: number): string {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, longest)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** The problem type of a refusal that came out of here; undefined of any other error. */
export function problemType(error: unknown): unknown {
  if (!LanyardError.is(error)) return undefined;
  const { problem } = error.details;
  return isObject(problem) ? problem['type'] : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
