/** What to ask the CA for, with the reckoning, and as words for its form. */
import type { PresetName } from '../certificates/budget/presets.ts';
import { limitText, timeLine } from './arithmetic.ts';
import type { Ask, AskableLimit, Override } from './ask.ts';
import { count, day, duration, period, seconds, several } from './figures.ts';
import { shareOf } from './pace.ts';
import type { Plan } from './plan.ts';
import { FIRST_SHARE } from './roll-out.ts';

/** As Let's Encrypt's form calls them. */
const TITLES: Readonly<Record<AskableLimit, string>> = {
  'new-orders': 'New Orders per Account',
  'registered-domain': 'New Certificates per Registered Domain',
};

const FORMS: Readonly<Partial<Record<PresetName, string>>> = {
  letsencrypt: 'https://isrg.formstack.com/forms/rate_limit_adjustment_request',
};

export function askText(plan: Plan, ask: Ask): readonly string[] {
  const { fromMs } = plan;
  const by = `BY ${day(fromMs + ask.withinMs)}, within ${duration(ask.withinMs)}`;
  if (ask.overrides.length === 0 && ask.isEnough) return [`${by}: the limits as they stand are enough.`];
  const done = `done on ${day(fromMs + ask.rollOut.durationMs)}, after ${duration(ask.rollOut.durationMs)}`;
  if (ask.overrides.length === 0) return [`${by}: no override helps; ${done}, because of ${ask.rollOut.binding}.`];
  return [
    `${by}: ask the CA for ${ask.overrides.map((one) => `${one.limit} ${limitText(one.wanted)}`).join(', ')}`,
    ...ask.overrides.flatMap((override) => overrideLines(plan, ask, override)),
    `  With that: ${done}${ask.isEnough ? '' : `, because of ${ask.rollOut.binding}, which no override makes faster`}.`,
    '  Granting takes weeks. Until then the limits as they stand apply.',
    '',
    ...formLines(plan, ask),
  ];
}

/** The inequality whose smallest solution is asked for, and the time that the wanted number gives. */
function overrideLines({ fleet }: Plan, { withinMs, rollOut }: Ask, override: Override): readonly string[] {
  const { limit, standing, smallest, wanted } = override;
  const pace = rollOut.paces.find(({ name }) => name === limit);
  if (!pace) return [];
  const burst = limit === 'new-orders' ? `floor(${FIRST_SHARE} × B)` : 'B';
  const left = `(${count(shareOf(pace, fleet.appliances))} - ${burst}) × ${seconds(standing.periodMs)} / B`;
  return [
    `  ${limit}: now ${limitText(standing)}`,
    `      ${left} ≤ ${seconds(withinMs)}: B ≥ ${count(smallest)}, rounded up to ${count(wanted.burst)}`,
    `      ${timeLine(pace, fleet.appliances)}`,
  ];
}

function formLines({ ca, fleet, fromMs }: Plan, { withinMs, overrides, rollOut }: Ask): readonly string[] {
  const form = FORMS[ca];
  const wishes = overrides.map(({ limit, standing, wanted }) => {
    const whose = limit === 'new-orders' ? 'ACME account <account URL>' : domainsOf(fleet.zones);
    return `    ${TITLES[limit]}: ${count(wanted.burst)} per ${period(wanted.periodMs)} for ${whose} (now ${limitText(standing)})`;
  });
  const names = fleet.zones === 1 ? 'in one zone of ours' : `in ${several(fleet.zones, 'zone')} of ours`;
  return [
    `  For the CA’s form${form === undefined ? '' : ` (${form})`}:`,
    ...wishes,
    `    We ship ${several(fleet.appliances, 'appliance')}, each with a name of its own ${names} and one certificate,`,
    '    ordered by one ACME account with DNS-01.',
    `    First certificates are to be issued from ${day(fromMs)} to ${day(fromMs + withinMs)}. With these limits that takes ${duration(rollOut.durationMs)}.`,
    '    Renewals follow renewal information (RFC 9773) with "replaces", each at a random instant of its window.',
  ];
}

function domainsOf(zones: number): string {
  return zones === 1 ? '<zone>' : `each of <${several(zones, 'zone')}>`;
}
