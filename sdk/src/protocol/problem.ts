/** `problem`: a request was refused or postponed, why, and when to try again. */
import { id } from './fields.ts';
import { LIMITS } from './limits.ts';
import { PROBLEM_CODES } from './problems.ts';
import type { ProblemCode } from './problems.ts';
import { flag, integer, object, oneOf, optional, parseWith, text } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface Problem {
  /** That of the request it answers; absent when the broker could not read one. */
  readonly id?: string;
  readonly code: ProblemCode;
  /** For a person to read. */
  readonly message: string;
  readonly retryable: boolean;
  /** When to try again, from now: appliance clocks lie. Absent when trying again is pointless. */
  readonly retryAfterSeconds?: number;
  /** What to quote to the operator: the same reference is in the broker's log. */
  readonly ref: string;
}

const shape = object({
  id: optional(id),
  code: oneOf(PROBLEM_CODES),
  message: text(LIMITS.messageCharacters),
  retryable: flag,
  retryAfterSeconds: optional(integer(0, LIMITS.waitSeconds)),
  ref: id,
});

export function parseProblem(value: unknown): Parsed<Problem> {
  return parseWith(shape, value);
}
