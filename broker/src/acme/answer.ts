/** An answer of the CA before anybody asks what it is about: a success or a refusal, JSON or not. */
import type { LanyardError } from '@lanyard/sdk/kernel';
import { problemError } from './problems.ts';
import type { Subject } from './problems.ts';
import type { CaAnswer } from './transport.ts';

export function isSuccess({ status }: CaAnswer): boolean {
  return status >= 200 && status < 300;
}

/** @returns undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param document the answer's text, parsed. */
export function refused(answer: CaAnswer, document: unknown, subject: Subject): LanyardError {
  const { status, retryAfterMs, receivedAtMs: nowMs } = answer;
  return problemError({ status, document, retryAfterMs, subject, nowMs });
}
