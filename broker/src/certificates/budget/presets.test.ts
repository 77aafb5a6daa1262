import { expect, test } from 'vitest';
import { PRESETS, PRESET_NAMES, termsOf } from './presets.ts';
import type { PresetName } from './presets.ts';
import { spent } from './token-bucket.ts';

const MINUTE_MS = 60_000;

test('tokens of Let’s Encrypt come back as its documentation says', () => {
  const { limits } = PRESETS.letsencrypt;
  // letsencrypt.org/docs/rate-limits: one every 36 s, 202 min, 34 h, and a day; failures are kept to 4 an hour.
  expect(spent(undefined, limits['new-orders']!, 0)).toBe(36_000);
  expect(Math.round(spent(undefined, limits['registered-domain']!, 0) / MINUTE_MS)).toBe(202);
  expect(Math.round(spent(undefined, limits['exact-set']!, 0) / 60 / MINUTE_MS)).toBe(34);
  expect(limits['failed-authorizations']).toEqual({ burst: 4, periodMs: 60 * MINUTE_MS });
  expect(limits['consecutive-failures']).toEqual({ burst: 1_152, periodMs: 24 * 60 * MINUTE_MS, count: 1 });
});

const TABLE: Readonly<Record<PresetName, { limits: number; renewals: string; perSecond: number | undefined }>> = {
  letsencrypt: { limits: 5, renewals: 'exempt', perSecond: 250 },
  'letsencrypt-staging': { limits: 4, renewals: 'exempt', perSecond: 20 },
  zerossl: { limits: 0, renewals: 'counted', perSecond: undefined },
  google: { limits: 0, renewals: 'counted', perSecond: undefined },
  pebble: { limits: 0, renewals: 'exempt', perSecond: undefined },
  custom: { limits: 0, renewals: 'counted', perSecond: undefined },
};

test.for(PRESET_NAMES)('%s has its number of limits, its view of renewals and its pace', (preset) => {
  const { limits, renewals, requests } = PRESETS[preset];
  const shown = { limits: Object.keys(limits).length, renewals, perSecond: requests?.perSecond };
  expect(shown).toEqual(TABLE[preset]);
});

test('without overrides the terms are the preset under the account’s id', () => {
  expect(termsOf({ preset: 'letsencrypt', id: 'ca' })).toEqual({ ...PRESETS.letsencrypt, id: 'ca' });
});

test('what the operator was granted takes the place of the published limit, and the others stay', () => {
  const granted = { burst: 10_000, periodMs: 7 * 86_400_000 };
  const { limits, requests } = termsOf({
    preset: 'letsencrypt',
    id: 'ca',
    overrides: { 'registered-domain': granted, 'new-orders': 'none' },
  });
  const { 'new-orders': _lifted, ...others } = PRESETS.letsencrypt.limits;
  expect(limits).toEqual({ ...others, 'registered-domain': granted });
  expect(limits).not.toHaveProperty('new-orders');
  expect(requests).toEqual({ perSecond: 250, burst: 125 });
});

test('a CA without published limits gets those that the operator knows, and nothing cannot be lifted', () => {
  const known = { burst: 10, periodMs: MINUTE_MS };
  const overrides = { 'new-orders': known, 'exact-set': 'none' } as const;
  expect(termsOf({ preset: 'custom', id: 'ca', overrides }).limits).toEqual({ 'new-orders': known });
});
