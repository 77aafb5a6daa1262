/** What a problem from the broker means for the appliance: how long it waits, and what it reports. */
import { LanyardError } from '../kernel/errors.ts';
import type { Problem } from '../protocol/problem.ts';
import type { ProblemCode } from '../protocol/problems.ts';
import { growing, stretched } from './line.ts';

/** "Now" from a confused broker must not become a loop at the speed of the network. */
const SHORTEST_WAIT_MS = 5_000;
/** Worth another try soon, but nobody said when. */
const SOON_MS = { base: 60_000, cap: 6 * 60 * 60_000 };
/** A new key is the remedy, so the first try comes at once; a broker that refuses every key is not hammered. */
const NEW_KEY_MS = { base: SHORTEST_WAIT_MS, cap: 6 * 60 * 60_000 };
/** Nothing will change by itself: somebody has to act. The broker speaks first when somebody has. */
const HOPELESS_MS = 24 * 60 * 60_000;

/** How long to leave the broker alone. Its word is a lower bound, relative because appliance clocks lie. */
export function problemWaitMs(problem: Problem, failures: number, spread: number): number {
  if (problem.retryAfterSeconds !== undefined) {
    return stretched(Math.max(SHORTEST_WAIT_MS, problem.retryAfterSeconds * 1000), spread);
  }
  if (isKeyProblem(problem.code)) return growing(NEW_KEY_MS.base, NEW_KEY_MS.cap, failures, spread);
  // Names may have changed under way; the next state brings the right ones.
  if (problem.retryable || problem.code === 'name-mismatch') {
    return growing(SOON_MS.base, SOON_MS.cap, failures, spread);
  }
  return stretched(HOPELESS_MS, spread);
}

/** Whether the pending key is of no use any more. */
export function isKeyProblem(code: ProblemCode): boolean {
  return code === 'key-reused' || code === 'csr-invalid' || code === 'weak-key';
}

/** The problem as an error for logs, listeners and the status. */
export function describeProblem(problem: Problem, waitMs: number): LanyardError {
  return new LanyardError(problem.code === 'appliance-disabled' ? 'broker-refused' : 'request-refused', {
    message: `${problem.code}: ${problem.message}`,
    retryAfterMs: waitMs,
    details: { problem: problem.code, ref: problem.ref },
  });
}
