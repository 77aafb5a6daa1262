/** What `lanyard plan` reckons is what happens: the simulator plays the same fleet at a CA with the same limits. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { lifetimesFrom } from '../../broker/src/plan/lifetimes.ts';
import { rollOut } from '../../broker/src/plan/roll-out.ts';
import type { Fleet, PlanTerms, RollOut } from '../../broker/src/plan/roll-out.ts';
import { steadyState } from '../../broker/src/plan/steady-state.ts';
import type { SteadyState } from '../../broker/src/plan/steady-state.ts';
import { succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { simulator } from './simulator.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEED = 1;

/** By how much the simulation may differ, as a part of what is planned. */
const TOLERANCE = 0.05;

const FLEET: Fleet = { appliances: 400, zones: 1, isPublicSuffix: false };
/** Of the kind that Let's Encrypt has, and such that a roll-out takes a day or so. */
const ORDERS_60 = { burst: 60, periodMs: 3 * HOUR_MS };
const DOMAIN_100 = { burst: 100, periodMs: DAY_MS / 2 };
const DOMAIN_250 = { burst: 250, periodMs: DAY_MS };

describe('a roll-out takes as long as is planned', () => {
  test.concurrent.each([
    // (400 - 54) × 180 s = 17.3 h
    ['new-orders', 'alone', { 'new-orders': ORDERS_60 }],
    // (400 - 100) × 432 s = 36 h
    ['registered-domain', 'alone', { 'registered-domain': DOMAIN_100 }],
    ['registered-domain', 'beside a quicker one', { 'new-orders': ORDERS_60, 'registered-domain': DOMAIN_100 }],
    // (400 - 250) × 345.6 s = 14.4 h
    ['new-orders', 'beside one that is nearly as slow', { 'new-orders': ORDERS_60, 'registered-domain': DOMAIN_250 }],
  ] as const)('bound by %s, %s', async (binding, _, limits) => {
    const planned = rollOut(FLEET, { limits, renewals: 'exempt' });
    const found = await play({
      for: planned.durationMs * (1 + TOLERANCE),
      arrivals: { shape: 'at-once' },
      authority: { limits: asScenario(limits) },
    });

    expect(planned.binding).toBe(binding);
    expect(found.authority).toEqual({ ordered: FLEET.appliances, certified: FLEET.appliances });
    const [half, most, all] = planned.milestones.map(({ afterMs }) => afterMs);
    const { p50, p90, max } = found.timeToCertificateMs;
    expect(farFromPlan({ half: p50, most: p90, all: max }, { half, most, all })).toEqual([]);
  });
});

describe('where nothing binds, renewals come as they are planned', () => {
  test.concurrent('so many a day', async () => {
    const { renewalsPerDay, renewedAfterMs } = steadyStateOf(FLEET);
    // Those that came within one life's two thirds come back evenly for ever.
    const { series } = await play({ for: 3 * renewedAfterMs, arrivals: { shape: 'even', over: renewedAfterMs } });
    const { intervalMs, certificates } = series;
    const from = Math.round((1.5 * renewedAfterMs) / intervalMs);
    const to = Math.round((2.5 * renewedAfterMs) / intervalMs);
    const seen = certificates.slice(from, to).reduce((sum, count) => sum + count, 0);

    const found = { renewalsPerDay: (seen * DAY_MS) / ((to - from) * intervalMs) };
    expect(farFromPlan(found, { renewalsPerDay })).toEqual([]);
  });

  test.concurrent('in a peak as high and as wide, where all came at once', async () => {
    const { peak, windowMs, renewedAfterMs, lifetimeMs } = steadyStateOf(FLEET);
    const { expiryMarginMs } = await play({ for: renewedAfterMs + windowMs, arrivals: { shape: 'at-once' } });
    const { count, min, max, mean } = expiryMarginMs;

    expect([count, peak.certificates]).toEqual([FLEET.appliances, FLEET.appliances]);
    const { ordersPerSecond } = peak;
    const found = { renewedAfterMs: lifetimeMs - mean, ordersPerSecond: count / ((max - min) / 1_000) };
    expect(farFromPlan(found, { renewedAfterMs, ordersPerSecond })).toEqual([]);
  });
});

function steadyStateOf(fleet: Fleet): SteadyState {
  const free: RollOut = rollOut(fleet, { limits: {}, renewals: 'exempt' });
  const [now] = lifetimesFrom('classic', Date.UTC(2026, 0, 1));
  return steadyState(fleet, now, free);
}

type Figures = Readonly<Record<string, number | undefined>>;

/** What differs too much, or is missing on one side, and by how much. */
function farFromPlan(found: Figures, planned: Figures): readonly string[] {
  return Object.entries(planned).flatMap(([name, wanted = Number.NaN]) => {
    const figure = found[name] ?? Number.NaN;
    const isNear = Math.abs(figure / wanted - 1) <= TOLERANCE;
    return isNear ? [] : [`${name} is ${figure}, planned ${wanted}`];
  });
}

interface Played {
  readonly for: number;
  readonly arrivals: { readonly shape: 'at-once' | 'even'; readonly over?: number };
  readonly authority?: object;
}

/** What of the JSON report is compared. */
const report = z.object({
  timeToCertificateMs: z.object({ p50: z.number(), p90: z.number(), max: z.number() }),
  // Absent while nobody renewed.
  expiryMarginMs: z.object({
    count: z.number(),
    min: z.number().default(Number.NaN),
    mean: z.number().default(Number.NaN),
    max: z.number().default(Number.NaN),
  }),
  authority: z.record(z.string(), z.number()),
  series: z.object({ intervalMs: z.number(), certificates: z.array(z.number()) }),
});

async function play({ for: lengthMs, arrivals, authority }: Played): Promise<z.output<typeof report>> {
  await using temporary = await temporaryDirectory();
  const [file = '', json = ''] = ['planned.yaml', 'result.json'].map((name) => join(temporary.path, name));
  const scenario = {
    about: 'A fleet that somebody planned; what was planned comes of it.',
    appliances: FLEET.appliances,
    for: Math.round(lengthMs),
    population: { arrivals },
    broker: { checkIn: '30d' },
    // The CA is asked four times less often than Let's Encrypt wants, so that the run is quicker.
    authority: { renewalInfo: '1d', ...authority },
    expect: {
      demands: [
        { measure: 'certifiedShare', atLeast: 1 },
        { measure: 'authority.limited', atMost: 0 },
      ],
    },
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(scenario));
  succeeded(await simulator('run', file, '--gear', 'virtual', '--seed', SEED, '--json', json));
  return report.parse(JSON.parse(await readFile(json, 'utf8')));
}

/** The model CA has its own names for the limits that a plan knows. */
function asScenario(limits: PlanTerms['limits']): object {
  const { 'new-orders': orders, 'registered-domain': domain } = limits;
  return {
    ...(orders && { newOrdersPerAccount: { burst: orders.burst, per: orders.periodMs } }),
    ...(domain && { certificatesPerDomain: { burst: domain.burst, per: domain.periodMs } }),
  };
}
