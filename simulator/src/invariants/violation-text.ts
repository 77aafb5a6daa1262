/** A violation as a person reads it: when, whose, what, what had happened, and how to see it again. */
import type { Violation } from '../report/result.ts';

export interface TextParts {
  readonly seed: number;
  /** When the run began, epoch milliseconds. */
  readonly startMs: number;
}

export function violationText(violation: Violation, { seed, startMs }: TextParts): string {
  const { invariant, atMs, appliance, detail, lastEvents, replay, tolerated } = violation;
  const when = new Date(startMs + atMs).toISOString();
  const whose = appliance === undefined ? 'the fleet' : `appliance ${appliance}`;
  return [
    `${tolerated === undefined ? 'broken' : 'tolerated'}: ${invariant}`,
    `  ${when}, seed ${seed}, ${whose}: ${detail}`,
    ...(tolerated === undefined ? [] : [`  tolerated because ${tolerated}`]),
    ...(lastEvents.length === 0 ? [] : ['  before that:', ...lastEvents.map((line) => `    ${line}`)]),
    `  again: ${replay}`,
    ...(appliance === undefined ? [] : [`  if it takes no other appliance: ${replay} --only ${appliance}`]),
  ].join('\n');
}
