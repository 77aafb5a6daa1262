import { expect, test } from 'vitest';
import { seededRandom } from '@lanyard/sdk/testing';
import { layOutTown, USUAL_SITES } from './town.ts';

test('one seed lays out one town, another seed another', () => {
  expect(layOutTown(50, seededRandom(1))).toEqual(layOutTown(50, seededRandom(1)));
  expect(layOutTown(50, seededRandom(1))).not.toEqual(layOutTown(50, seededRandom(2)));
});

test('LANs collide, carriers’ customers share an address, everybody else has one of their own', () => {
  const sites = layOutTown(1_000, seededRandom(1));
  expect(new Set(sites.map(({ name }) => name)).size).toBe(1_000);
  expect(new Set(sites.map(({ lan }) => lan)).size).toBe(7);
  const own = sites.filter(({ kind }) => kind !== 'cgnat').map(({ publicAddress }) => publicAddress);
  expect(new Set(own).size).toBe(own.length);
  const shared = sites.filter(({ kind }) => kind === 'cgnat');
  expect(shared.length).toBeGreaterThan(150);
  expect(new Set(shared.map(({ publicAddress }) => publicAddress)).size).toBe(2);
  const offices = sites.filter(({ kind }) => kind === 'office').length;
  expect(offices).toBeGreaterThan(150);
  expect(offices).toBeLessThan(250);
});

test('the wished share of NATs forgets a silent line within a minute', () => {
  const idle = layOutTown(1_000, seededRandom(1), { ...USUAL_SITES, shortIdle: 0.1 }).filter(
    ({ mappingIdleMs }) => mappingIdleMs === 60_000,
  );
  expect(idle.length).toBeGreaterThan(70);
  expect(idle.length).toBeLessThan(130);
});
