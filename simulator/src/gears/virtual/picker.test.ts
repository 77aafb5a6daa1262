import { describe, expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import type { Where } from '../../scenarios/scenario.ts';
import { VirtualWorld } from './virtual-world.ts';
import { Picker } from './picker.ts';
import { worldPlan } from './test-world.ts';

/** Twelve appliances on four sites, three on each. */
const { boxes } = new VirtualWorld(worldPlan({ appliances: 12, scenario: { population: { perSite: 3 } } }));

function picker(seed = 1): Picker {
  return new Picker({ boxes, random: seededRandom(seed) });
}

function numbersOf(where: Where, seed = 1): readonly number[] {
  return picker(seed)
    .boxes(where)
    .map(({ number }) => number);
}

function sitesOf(where: Where, seed = 1): readonly string[] {
  return picker(seed)
    .sites(where)
    .map(({ site }) => site.name);
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

describe('a share', () => {
  test('1 is everybody and 0 nobody', () => {
    expect(numbersOf({ share: 1 })).toHaveLength(12);
    expect(numbersOf({ share: 0 })).toEqual([]);
    expect(sitesOf({ share: 1 })).toHaveLength(4);
    expect(sitesOf({ share: 0 })).toEqual([]);
  });

  test('is met on average, by dice that fall anew each time', () => {
    const counts = SEEDS.map((seed) => numbersOf({ share: 0.25 }, seed).length);
    expect(counts.reduce((sum, count) => sum + count, 0) / (12 * SEEDS.length)).toBeCloseTo(0.25, 1);
    expect(new Set(counts).size).toBeGreaterThan(2);
  });
});

describe('a number of appliances', () => {
  test.each([1, 5, 12])('%d are neighbours, each once, from anywhere', (count) => {
    const firsts = new Set<number>();
    for (const seed of SEEDS) {
      const numbers = numbersOf({ appliances: count }, seed);
      expect(new Set(numbers).size).toBe(count);
      expect(numbers.slice(1).every((number, index) => number === (numbers[index]! + 1) % 12)).toBe(true);
      firsts.add(numbers[0]!);
    }
    expect(firsts.size).toBeGreaterThan(6);
  });

  test('more than there are is everybody', () => {
    expect(new Set(numbersOf({ appliances: 99 }))).toEqual(new Set(boxes.map(({ number }) => number)));
    expect(numbersOf({ appliances: 99 })).toHaveLength(12);
  });

  test('their sites are those that they stand on', () => {
    for (const seed of SEEDS) {
      const standing = picker(seed)
        .boxes({ appliances: 2 })
        .map(({ lan }) => lan.site.name);
      expect(sitesOf({ appliances: 2 }, seed)).toEqual([...new Set(standing)]);
    }
  });
});

describe('a number of sites', () => {
  test('takes every appliance of them and no other', () => {
    for (const seed of SEEDS) {
      const chosen = new Set(sitesOf({ sites: 2 }, seed));
      expect(chosen.size).toBe(2);
      const expected = boxes.filter(({ lan }) => chosen.has(lan.site.name)).map(({ number }) => number);
      expect(expected).toHaveLength(6);
      expect(numbersOf({ sites: 2 }, seed)).toEqual(expected);
    }
  });

  test('more than there are is all of them', () => {
    expect(sitesOf({ sites: 40 })).toHaveLength(4);
    expect(numbersOf({ sites: 40 })).toHaveLength(12);
  });
});

test('the same dice pick the same', () => {
  for (const where of [{ share: 0.5 }, { sites: 1 }, { appliances: 3 }])
    expect(numbersOf(where, 9)).toEqual(numbersOf(where, 9));
});
