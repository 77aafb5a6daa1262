/** What comes after the roll-out: renewals for ever, lifetimes that shrink, and the day on which everything is replaced. */
import { limitOf, paceText, timeLine } from './arithmetic.ts';
import { ISSUANCES_PER_SECOND, POLL_INTERVAL_MS, REQUESTS_PER_ORDER } from './capacity.ts';
import { count, day, duration, measure, percent, period, seconds } from './figures.ts';
import type { Plan } from './plan.ts';
import type { Hurdle } from './replacement.ts';
import type { SteadyState } from './steady-state.ts';

const SECONDS_A_DAY = 86_400;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function steadyText(plan: Plan): readonly string[] {
  const { fleet, steadyStates } = plan;
  const [now] = steadyStates;
  const n = count(fleet.appliances);
  const centre = now.renewedAfterMs * 2 === now.lifetimeMs ? '1/2, being under ten days' : '2/3';
  const { certificates, ordersPerSecond, requestsPerSecond } = now.peak;
  return [
    `STEADY STATE: ${measure(now.renewalsPerDay)} renewals a day, ${measure(now.renewalsPerHour)} an hour`,
    `  lifetime ${period(now.lifetimeMs)}, renewed at ${centre}: after ${duration(now.renewedAfterMs)}`,
    `  ${n} / ${measure(now.renewedAfterMs / DAY_MS)} d = ${measure(now.renewalsPerDay)} a day, / ${count(SECONDS_A_DAY)} = ${measure(now.ordersPerSecond)} orders/s`,
    `  peak: who was certified within one window comes back within one; it is 2 % of life, ${seconds(now.windowMs)}.`,
    `      ${count(certificates)} are certified in the first window, or in one a multiple of ${duration(now.renewedAfterMs)} later:`,
    `      ${count(certificates)} / ${seconds(now.windowMs)} = ${measure(ordersPerSecond)} orders/s, × ${REQUESTS_PER_ORDER} = ${measure(requestsPerSecond)} requests/s`,
    `  renewal information: ${n} / ${period(POLL_INTERVAL_MS)} = ${measure(now.pollsPerSecond)} polls/s`,
    ...ceilingLines(plan, now),
    ...countingLines(plan, now),
  ];
}

function countingLines({ terms }: Plan, { renewalsPerDay }: SteadyState): readonly string[] {
  if (terms.renewals === 'exempt') {
    return [
      '  Renewals in their window count in no limit; late ones of the same names, within 120 days, in exact-set only.',
    ];
  }
  const newOrders = terms.limits['new-orders'];
  if (!newOrders) return ['  This CA counts renewals as orders.'];
  const back = ((newOrders.count ?? newOrders.burst) / newOrders.periodMs) * DAY_MS;
  const verdict = back >= renewalsPerDay ? 'enough for them' : 'too few: certificates will expire';
  return [`  This CA counts renewals as orders, and new-orders gives back ${measure(back)} a day: ${verdict}.`];
}

function ceilingLines({ endpoints, terms }: Plan, { peak, pollsPerSecond }: SteadyState): readonly string[] {
  const ceilings = [
    ...(terms.requests ? [['requests', peak.requestsPerSecond, terms.requests.perSecond] as const] : []),
    ...(endpoints ? [['newOrder', peak.ordersPerSecond, endpoints.newOrder] as const] : []),
    ...(endpoints ? [['renewalInfo', pollsPerSecond, endpoints.renewalInfo] as const] : []),
  ];
  if (ceilings.length === 0) return [];
  const parts = ceilings.map(
    ([name, load, most]) => `${name} ${load < most / 100 ? 'under 1 %' : percent(load / most)} of ${count(most)}/s`,
  );
  return [`  of the CA’s ceilings at the peak: ${parts.join(', ')}`];
}

export function lifetimesText({ ca, changes, steadyStates, profile }: Plan): readonly string[] {
  const isKnown = ca.startsWith('letsencrypt');
  const columns = steadyStates.map((state) => [
    day(state.fromMs),
    period(state.lifetimeMs),
    duration(state.renewedAfterMs),
    measure(state.renewalsPerDay),
    measure(state.ordersPerSecond),
    measure(state.peak.ordersPerSecond),
  ]);
  const head = ['from', 'lifetime', 'renewed after', 'renewals a day', 'orders/s', 'at the peak'];
  return [
    `LIFETIMES of ${profile}${isKnown ? '' : ', as at Let’s Encrypt; ask your CA for its own'}`,
    ...aligned([head, ...columns]),
    '  A change is felt as the certificates from before it come up for renewal.',
    ...(changes.length === 0 ? [] : ['  Announced:']),
    ...changes.map(
      ({ fromMs, of, lifetimeMs }) =>
        `      ${day(fromMs)}  ${of === 'every CA' ? 'every CA: at most' : `Let’s Encrypt ${of}:`} ${period(lifetimeMs)}`,
    ),
  ];
}

export function replacementText({ fleet, replacement, terms }: Plan): readonly string[] {
  const { withinMs, ordersPerHour, ordersPerSecond, requestsPerSecond, durationMs, isInTime, hurdles } = replacement;
  const n = count(fleet.appliances);
  return [
    `REPLACEMENT of everything within ${withinMs / HOUR_MS} h: ${isInTime ? 'possible' : 'not possible'}, takes ${duration(durationMs)}`,
    `  ${n} / ${withinMs / HOUR_MS} h = ${measure(ordersPerHour)} orders/h = ${measure(ordersPerSecond)} orders/s, × ${REQUESTS_PER_ORDER} = ${measure(requestsPerSecond)} requests/s`,
    ...(terms.renewals === 'exempt'
      ? [
          '  The window of a revoked certificate is over when it is seen, so that its renewal is not exempt by RFC 9773.',
          '  As the same names within 120 days it is exempt from new-orders and registered-domain, not from exact-set.',
        ]
      : []),
    ...hurdles.flatMap((hurdle) => hurdleLines(hurdle, fleet.appliances, limitOf(hurdle.pace, terms.limits))),
    `  So many can be replaced in time at ${ISSUANCES_PER_SECOND} a second: ${count((ISSUANCES_PER_SECOND * withinMs) / 1000)}.`,
    ...(replacement.leftOfExactSet === undefined ? [] : [exactSetLine(replacement.leftOfExactSet)]),
  ];
}

function hurdleLines(
  { pace, isCounted }: Hurdle,
  certificates: number,
  limit: ReturnType<typeof limitOf>,
): readonly string[] {
  const aside = isCounted ? '' : '; not counted, and if it were:';
  return [`  ${pace.name}: ${paceText(pace, limit)}${aside}`, `      ${timeLine(pace, certificates)}`];
}

function exactSetLine(left: number): string {
  return `  exact-set: one for each name, which leaves ${count(left)} for the rest of its period.`;
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
