import { expect, test } from 'vitest';
import { hasSdk, sdkIn, siteOf, slicesOf } from './slices.ts';

const crowd = { appliances: 101, sites: 40, sdk: 7 };
const numbers = Array.from({ length: crowd.appliances }, (_, number) => number);

test('every appliance is in exactly one process, and every site too', () => {
  const slices = slicesOf(crowd, 3);

  const slicesOfSite = new Map<number, Set<number>>();
  const lives = numbers.map((number) => {
    const found = slices.flatMap(({ first, count }, index) => (number >= first && number < first + count ? index : []));
    const site = siteOf(crowd, number);
    slicesOfSite.set(site, new Set([...(slicesOfSite.get(site) ?? []), ...found]));
    return found.length;
  });

  expect(slices).toHaveLength(3);
  expect(new Set(lives)).toEqual(new Set([1]));
  expect(slicesOfSite.size).toBe(crowd.sites);
  expect([...slicesOfSite.values()].every(({ size }) => size === 1)).toBe(true);
});

test('as many have the SDK as were asked for, spread over the whole crowd', () => {
  const canaries = numbers.filter((number) => hasSdk(crowd, number));
  const gaps = canaries.slice(1).map((number, index) => number - (canaries[index] ?? 0));

  expect(canaries).toHaveLength(7);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
  expect(slicesOf(crowd, 3).reduce((sum, slice) => sum + sdkIn(crowd, slice), 0)).toBe(7);
});

test('there are never more processes than sites', () => {
  expect(slicesOf({ appliances: 10, sites: 2, sdk: 0 }, 5)).toEqual([
    { first: 0, count: 5 },
    { first: 5, count: 5 },
  ]);
});
