/** A plan for machines: durations in milliseconds, instants as ISO 8601. */
import { isoDate } from './figures.ts';
import type { Plan } from './plan.ts';

/** One line, one object. */
export function planJson(plan: Plan): string {
  const { fromMs, byMs, steadyStates, changes, rollOut, ask, ...rest } = plan;
  const dated = { from: isoDate(fromMs), ...(byMs !== undefined && { by: isoDate(byMs) }) };
  const withDates = (one: Plan['rollOut']): object => ({
    ...one,
    doneAt: isoDate(fromMs + one.durationMs),
    milestones: one.milestones.map((milestone) => ({ ...milestone, at: isoDate(fromMs + milestone.afterMs) })),
  });
  return `${JSON.stringify({
    ...dated,
    ...rest,
    rollOut: withDates(rollOut),
    ...(ask && { ask: { ...ask, rollOut: withDates(ask.rollOut) } }),
    steadyStates: steadyStates.map(({ fromMs: atMs, ...state }) => ({ from: isoDate(atMs), ...state })),
    changes: changes.map(({ fromMs: atMs, ...change }) => ({ from: isoDate(atMs), ...change })),
  })}\n`;
}
