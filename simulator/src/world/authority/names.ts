/** Which names may be ordered, and in what form they are kept. */
import { Problem, problemUrn, type ProblemDocument } from './problems.ts';
import type { Profile } from './policy.ts';

export interface Identifier {
  readonly type: string;
  readonly value: string;
}

/**
 * Lower case, each once, sorted.
 * @throws Problem `rejectedIdentifier` | `unsupportedIdentifier` | `malformed`
 */
export function acceptNames(identifiers: readonly Identifier[]): readonly string[] {
  const alien = identifiers.find((identifier) => identifier.type !== 'dns');
  if (alien !== undefined) {
    throw new Problem('unsupportedIdentifier', `NewOrder request included unsupported type "${alien.type}"`);
  }
  if (identifiers.length === 0) throw new Problem('malformed', 'NewOrder request did not specify any identifiers');
  const names = [...new Set(identifiers.map((identifier) => identifier.value.toLowerCase()))].toSorted();
  if (names.length > NAMES_LIMIT) throw tooMany(NAMES_LIMIT);
  refuse(names.flatMap((name) => objection(name) ?? []));
  const redundant = names.find((name) => !name.startsWith('*.') && names.includes(wildcardAbove(name)));
  if (redundant !== undefined) {
    throw new Problem(
      'malformed',
      `Domain name "${redundant}" is redundant with a wildcard domain in the same request`,
    );
  }
  return names;
}

/**
 * What Boulder looks at only after the limits were spent.
 * @throws Problem `malformed`
 */
export function checkNumber(names: readonly string[], profile: Profile): void {
  if (names.length > profile.maxNames) throw tooMany(profile.maxNames);
}

/** The names as one key, whatever the order they were asked in. They are sorted already. */
export function setKey(names: readonly string[]): string {
  return names.join(' ');
}

/** The name to prove: a wildcard's without its asterisk. */
export function baseName(name: string): string {
  return isWildcard(name) ? name.slice(2) : name;
}

export function isWildcard(name: string): boolean {
  return name.startsWith('*.');
}

/** RFC 1035 §2.3.1 as the Baseline Requirements narrow it: letters, digits, inner hyphens. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The most that any profile takes (letsencrypt.org/docs/rate-limits). */
const NAMES_LIMIT = 100;

function tooMany(limit: number): Problem {
  return new Problem('malformed', `Order cannot contain more than ${limit} identifiers`);
}

function objection(name: string): ProblemDocument | undefined {
  const why = fault(name);
  if (why === undefined) return undefined;
  return {
    type: problemUrn('rejectedIdentifier'),
    detail: `Cannot issue for "${name}": ${why}`,
    identifier: { type: 'dns', value: name },
  };
}

function fault(name: string): string | undefined {
  const base = baseName(name);
  const labels = base.split('.');
  // RFC 1035 §2.3.4: 255 octets on the wire are 253 characters.
  if (base.length > 253) return 'Domain name is longer than 253 bytes';
  if (labels.length < 2) return 'Domain name needs at least one dot';
  if (labels.some((label) => !LABEL.test(label))) return 'Domain name contains an invalid label';
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'Domain name ends in a number, like an IP address';
  return undefined;
}

function refuse(objections: readonly ProblemDocument[]): void {
  const [first, ...others] = objections;
  if (first === undefined) return;
  if (others.length === 0) throw new Problem('rejectedIdentifier', first.detail);
  throw new Problem(
    'rejectedIdentifier',
    `${first.detail} (and ${others.length} more problems. Refer to sub-problems)`,
    {
      subproblems: objections,
    },
  );
}

function wildcardAbove(name: string): string {
  return `*.${name.slice(name.indexOf('.') + 1)}`;
}
