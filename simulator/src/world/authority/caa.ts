/** Whether CAA records let this CA issue (RFC 8659), with the ACME parameters of RFC 8657. */
import type { CaaRecord } from './resolver.ts';

export interface CaaQuestion {
  /** Our issuer domain name. */
  readonly identity: string;
  readonly accountUrl: string;
  readonly method: string;
  readonly isWildcard: boolean;
}

const KNOWN_TAGS: ReadonlySet<string> = new Set([
  'issue',
  'issuewild',
  'iodef',
  'issuemail',
  'contactemail',
  'contactphone',
]);

export function permitsIssuance(records: readonly CaaRecord[], question: CaaQuestion): boolean {
  // RFC 8659 §4.1.1, and tags are compared without case (§4.1).
  if (records.some((record) => record.isCritical && !KNOWN_TAGS.has(record.tag.toLowerCase()))) return false;
  const tagged = (tag: string): readonly CaaRecord[] => records.filter((record) => record.tag.toLowerCase() === tag);
  const wild = tagged('issuewild');
  // RFC 8659 §4.3: issuewild takes precedence for wildcards and says nothing about other names.
  const decisive = question.isWildcard && wild.length > 0 ? wild : tagged('issue');
  return decisive.length === 0 || decisive.some((record) => grants(record.value, question));
}

function grants(value: string, question: CaaQuestion): boolean {
  const [domain = '', ...rest] = value.split(';').map((part) => part.trim());
  if (domain.toLowerCase() !== question.identity) return false;
  // `issue "ca.example;"` has no parameters, not an empty one.
  const written = rest.length === 1 && rest[0] === '' ? [] : rest;
  const parameters = written.map(parseParameter);
  if (parameters.includes(undefined)) return false;
  return (
    permits(parameters, 'accounturi', (uri) => uri === question.accountUrl) &&
    permits(parameters, 'validationmethods', (methods) =>
      methods
        .split(',')
        .map((method) => method.trim())
        .includes(question.method),
    )
  );
}

interface Parameter {
  readonly tag: string;
  readonly value: string;
}

/** RFC 8659 §4.2: a label, "=", printable characters without blanks and semicolons. */
function parseParameter(text: string): Parameter | undefined {
  const match = /^([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)\s*=\s*([\x21-\x3a\x3c-\x7e]*)$/.exec(text);
  return match === null ? undefined : { tag: (match[1] ?? '').toLowerCase(), value: match[2] ?? '' };
}

/** A parameter that is absent permits all; one given twice is not understood (RFC 8657 §3 allows one accounturi). */
function permits(
  parameters: readonly (Parameter | undefined)[],
  tag: string,
  isFulfilled: (value: string) => boolean,
): boolean {
  const given = parameters.filter((parameter) => parameter?.tag === tag);
  if (given.length === 0) return true;
  return given.length === 1 && isFulfilled(given[0]?.value ?? '');
}
