/** A plan for a terminal: what comes of it, and every line that it was reckoned by. */
import { burstLine, intervalLine, limitOf, paceText, shareLine, timeLine } from './arithmetic.ts';
import { ASKABLE } from './ask.ts';
import { askText } from './ask-text.ts';
import { count, day, duration, percent, several } from './figures.ts';
import { lifetimesText, replacementText, steadyText } from './load-text.ts';
import type { Plan } from './plan.ts';
import type { Milestone, RollOut } from './roll-out.ts';

export function planText(plan: Plan): string {
  const { fleet, ca, profile, fromMs } = plan;
  const listed = fleet.isPublicSuffix ? ' on the Public Suffix List' : '';
  const what = `${several(fleet.appliances, 'appliance')} in ${several(fleet.zones, 'zone')}${listed}`;
  const parts = [
    [`${what}, one certificate each, by ${ca} (${profile}), from ${day(fromMs)}`],
    rollOutText(plan),
    ...(plan.ask ? [askText(plan, plan.ask)] : []),
    steadyText(plan),
    lifetimesText(plan),
    replacementText(plan),
  ];
  return parts.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function rollOutText({ fleet, fromMs, rollOut, terms }: Plan): readonly string[] {
  return [
    `ROLL-OUT: done on ${day(fromMs + rollOut.durationMs)}, after ${duration(rollOut.durationMs)}. ${reasonOf(rollOut)}`,
    '  All are switched on on the first day. A bucket gives its burst at once, then one an interval:',
    '  T(n) = (n - burst) × interval. All buckets are spent side by side; the slowest decides.',
    ...rollOut.paces.flatMap((pace) => {
      const limit = limitOf(pace, terms.limits);
      const lines = [
        intervalLine(pace),
        burstLine(pace, limit),
        shareLine(pace, fleet),
        timeLine(pace, fleet.appliances),
      ];
      const steps = lines.filter((line) => line !== undefined).map((line) => `      ${line}`);
      return [`  ${pace.name}: ${paceText(pace, limit)}`, ...steps];
    }),
    ...(isLimited(terms.limits)
      ? []
      : ['  No limits of this CA are known. What it told you can be given as --override.']),
    ...rollOut.milestones.map((milestone) => milestoneLine(milestone, fromMs)),
  ];
}

function isLimited(limits: Plan['terms']['limits']): boolean {
  return ASKABLE.some((name) => limits[name] !== undefined);
}

function reasonOf({ binding, durationMs }: RollOut): string {
  switch (binding) {
    case 'issuance':
      return 'No limit of the CA binds: the broker is the slowest.';
    case 'requests':
      return 'The CA’s ceiling on requests binds.';
    case 'new-orders':
    case 'registered-domain':
      return durationMs === 0 ? 'No limit binds.' : `The limit ${binding} binds.`;
  }
}

function milestoneLine({ share, certificates, afterMs }: Milestone, fromMs: number): string {
  const columns = [percent(share).padStart(5), count(certificates).padStart(11), day(fromMs + afterMs)];
  return `  ${columns.join('  ')}  after ${duration(afterMs)}`;
}
