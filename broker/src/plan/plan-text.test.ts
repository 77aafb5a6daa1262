import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PRESETS } from '../certificates/budget/presets.ts';
import type { PresetName } from '../certificates/budget/presets.ts';
import { planOf } from './plan.ts';
import type { Intention, Plan } from './plan.ts';
import { planChart } from './plan-chart.ts';
import { planJson } from './plan-json.ts';
import { planText } from './plan-text.ts';
import { escaped } from './svg-lines.ts';

const FROM_MS = Date.parse('2026-11-23');

function planFor(ca: PresetName, changes: Partial<Intention> = {}): Plan {
  return planOf({
    fleet: { appliances: 90_000, zones: 1, isPublicSuffix: false },
    ca,
    terms: PRESETS[ca],
    profile: 'classic',
    fromMs: FROM_MS,
    ...changes,
  });
}

const byJune = planFor('letsencrypt', { byMs: Date.parse('2027-06-01') });

describe('the text', () => {
  const text = planText(byJune);

  test.each([
    '90,000 appliances in 1 zone, one certificate each, by letsencrypt (classic), from 2026-11-23',
    'ROLL-OUT: done on 2061-05-16, after 34y 183d. The limit registered-domain binds.',
    'burst = floor(0.9 × 300) = 270; first issuance leaves the rest to renewals',
    'T = (90,000 - 270) × 10,800 s / 300 = 3,230,280 s = 37d 9h',
    'T = (90,000 - 50) × 604,800 s / 50 = 1,088,035,200 s = 34y 183d',
    'BY 2027-06-01, within 190d: ask the CA for registered-domain 4,000 per 7d',
    '(90,000 - B) × 604,800 s / B ≤ 16,416,000 s: B ≥ 3,198, rounded up to 4,000',
    'New Certificates per Registered Domain: 4,000 per 7d for <zone> (now 50 per 7d)',
    '90,000 / 60 d = 1,500 a day, / 86,400 = 0.0174 orders/s',
    '2027-02-10  Let’s Encrypt classic: 64d',
    '90,000 / 24 h = 3,750 orders/h = 1.04 orders/s, × 9 = 9.38 requests/s',
  ])('says: %s', (line) => {
    expect(text).toContain(line);
  });

  test('every time that it shows comes of what it shows', () => {
    const shown = [
      ...text.matchAll(/T = (?:\(([\d,]+) - ([\d,]+)\)|([\d,]+)) × ([\d,]+) s \/ ([\d,]+) = ([\d,.]+) s/g),
    ];
    expect(shown.length).toBeGreaterThan(6);
    for (const [, n, burst = '0', all, period, count, seconds] of shown) {
      const [left, back] = [number(n ?? all) - number(burst), number(period) / number(count)];
      expect(number(seconds)).toBeCloseTo(left * back, 3);
    }
  });

  test.each([
    ['zerossl', 'No limits of this CA are known. What it told you can be given as --override.'],
    ['zerossl', 'This CA counts renewals as orders.'],
    ['pebble', 'No limit of the CA binds: the broker is the slowest.'],
    ['letsencrypt-staging', 'newOrder under 1 % of 20/s'],
  ] as const)('of %s says: %s', (ca, line) => {
    expect(planText(planFor(ca))).toContain(line);
  });

  test('renewals that are counted and too many are told', () => {
    const terms = { limits: { 'new-orders': { burst: 300, periodMs: 86_400_000 } }, renewals: 'counted' } as const;
    expect(planText(planFor('custom', { terms }))).toContain('gives back 300 a day: too few: certificates will expire');
  });

  test('a date that needs nothing, and one that nothing helps', () => {
    const pebble = planFor('pebble', { byMs: FROM_MS + 3_600_000 });
    expect(planText(pebble)).toContain('no override helps; done on 2026-11-23, after 1h 40min, because of issuance');
    expect(planText(planFor('pebble', { byMs: FROM_MS + 86_400_000 }))).toContain(
      'the limits as they stand are enough',
    );
  });

  test('fits on a page without trailing blanks', () => {
    expect(text.split('\n').filter((line) => line.endsWith(' '))).toEqual([]);
    expect(text).not.toMatch(/undefined|NaN|Infinity|\n\n\n/);
  });
});

test('JSON has instants as ISO dates, and everything that the text has', () => {
  const parsed = z.record(z.string(), z.unknown()).parse(JSON.parse(planJson(byJune)));
  expect(parsed).toMatchObject({
    from: '2026-11-23T00:00:00.000Z',
    by: '2027-06-01T00:00:00.000Z',
    rollOut: { binding: 'registered-domain', durationMs: 1_088_035_200_000, doneAt: '2061-05-16T00:00:00.000Z' },
    ask: { isEnough: true, overrides: [{ limit: 'registered-domain', smallest: 3198, wanted: { burst: 4000 } }] },
    steadyStates: [{ lifetimeMs: 7_776_000_000 }, { from: '2027-02-10T00:00:00.000Z' }, { renewalsPerDay: 3000 }],
    replacement: { isInTime: true, durationMs: 6_000_000 },
  });
  expect(planJson(byJune)).not.toMatch(/(from|by|at)Ms"|null/);
});

describe('the page', () => {
  const page = planChart(byJune, { sha256 });

  test('loads nothing and runs nothing, and its policy knows its styles', () => {
    const [, styles = ''] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
    expect(page).toContain(`default-src 'none'; style-src 'sha256-${sha256(styles)}'`);
    expect(page).not.toMatch(/<script|<link|<img|src="|href=|style="|url\(|https?:/);
  });

  test('has a line by the limits, one with the override, and the steps of lifetimes', () => {
    expect(page.match(/<g class="standing"><path d="M[\d. L]+"/g)).toHaveLength(2);
    expect(page.match(/<g class="asked"><path d="M[\d. L]+"/g)).toHaveLength(1);
    expect(planChart(planFor('letsencrypt'), { sha256 })).not.toContain('class="asked"');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('of a fleet of one is drawn as well', () => {
    const one = planFor('letsencrypt', { fleet: { appliances: 1, zones: 1, isPublicSuffix: false } });
    expect(planChart(one, { sha256 })).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('escapes', () => {
    expect(escaped(`<a href="x">'&</a>`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;');
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function number(text: string | undefined): number {
  return Number(text?.replaceAll(',', ''));
}
