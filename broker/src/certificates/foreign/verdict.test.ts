import { describe, expect, test } from 'vitest';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const ZONES = ['devices.example.com', 'shop.example'];
const MINE = ['a.devices.example.com'];

interface Case {
  readonly names: readonly string[];
  readonly namesOfKey?: readonly string[];
  readonly verdict: Verdict;
}

const CASES: Readonly<Record<string, Case>> = {
  'the appliance’s own name with its key': { names: MINE, namesOfKey: MINE, verdict: 'own' },
  'its name and its wildcard': { names: [...MINE, '*.a.devices.example.com'], namesOfKey: MINE, verdict: 'own' },
  'its name, when only the wildcard is known': { names: MINE, namesOfKey: ['*.a.devices.example.com'], verdict: 'own' },
  'its name with a key that nobody sent': { names: MINE, verdict: 'foreign' },
  'its name with another appliance’s key': {
    names: MINE,
    namesOfKey: ['b.devices.example.com'],
    verdict: 'foreign',
  },
  'two appliances’ names with the key of one': {
    names: [...MINE, 'b.devices.example.com'],
    namesOfKey: MINE,
    verdict: 'foreign',
  },
  'its name and a stranger’s with its key': { names: [...MINE, 'a.example.net'], namesOfKey: MINE, verdict: 'foreign' },
  'a name that ends like its own': { names: ['xa.devices.example.com'], namesOfKey: MINE, verdict: 'foreign' },
  'the wildcard of the zone': { names: ['*.devices.example.com'], namesOfKey: MINE, verdict: 'foreign' },
  'the apex': { names: ['devices.example.com'], verdict: 'foreign' },
  'a name deep in the zone': { names: ['a.b.c.devices.example.com'], verdict: 'foreign' },
  'a name of another of our zones': { names: ['a.shop.example'], verdict: 'foreign' },
  'one name of ours among others': { names: ['a.example.net', 'a.shop.example'], verdict: 'foreign' },
  'a malformed name in the zone': { names: ['a?..devices.example.com'], verdict: 'foreign' },
  'the server’s own name beside the zone': { names: ['lanyard.example.com'], verdict: 'irrelevant' },
  'the wildcard above the zone': { names: ['*.example.com'], verdict: 'irrelevant' },
  'a zone that ends like ours': { names: ['a.mydevices.example.com'], verdict: 'irrelevant' },
  'a zone that begins like ours': { names: ['devices.example.com.example.net'], verdict: 'irrelevant' },
  'no name at all': { names: [], namesOfKey: MINE, verdict: 'irrelevant' },
};

describe('a certificate for', () => {
  test.each(Object.entries(CASES))('%s', (_, { names, namesOfKey = [], verdict }) => {
    expect(judge({ names }, { zones: ZONES, namesOfKey })).toBe(verdict);
  });
});
