import { describe, expect, test } from 'vitest';
import type { Happening } from '../world/happening.ts';
import { sparesAbsentCa } from './spares-absent-ca.ts';
import { NO_FACTS } from './test-facts.ts';
import { altered, objectors, watchedRun } from './test-run.ts';

test('a broker that asks for everybody although nobody answers', async () => {
  const outcome = await watchedRun({
    for: '1d',
    appliances: 2,
    scenario: { events: [{ do: 'authority-outage', at: '0s', for: '1d' }] },
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: async (order, signal) => {
          for (let tries = 0; tries < 100; tries++) await ports.authority.newOrder(order, signal).catch(() => {});
          return await ports.authority.newOrder(order, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['spares-absent-ca']);
  expect(outcome.shown[0]?.detail).toMatch(/^\d+ requests within an hour to a CA that is away$/);
});

describe('of a hundred who wait for a CA that is away few reach it', () => {
  const CROWD = { for: '1d', appliances: 100 } as const;
  const broker = { concurrency: 4 };

  test.each(['unreachable', 'error'] as const)('(%s)', async (how) => {
    const outcome = await watchedRun({
      ...CROWD,
      scenario: { broker, events: [{ do: 'authority-outage', at: '30m', for: '1d', how }] },
    });
    expect(objectors(outcome)).toEqual([]);
  });

  test('also when the broker forgets it again and again', async () => {
    const outcome = await watchedRun({
      ...CROWD,
      scenario: {
        broker,
        events: [
          { do: 'authority-outage', at: '10m', for: '1d' },
          { do: 'broker-kill', at: '1h', every: '1h', times: 20, jitter: '1h' },
        ],
      },
    });
    expect(objectors(outcome)).toEqual([]);
  });
});

test('requests to several CAs are counted for each', () => {
  const cut: Extract<Happening, { kind: 'authority' }> = {
    atMs: 1,
    kind: 'authority',
    what: 'cut',
    about: 'new-order',
  };
  const breaches: string[] = [];
  const facts = { ...NO_FACTS, isAuthorityAway: (ca: number) => ca > 0 };
  const invariant = sparesAbsentCa({ facts, violate: ({ what }) => void breaches.push(what) });
  const ask = (ca: number, times: number): void => {
    for (let asked = 0; asked < times; asked++) invariant.onHappening?.({ ...cut, ca });
  };
  ask(0, 1_000);
  ask(1, 81);
  ask(2, 81);
  expect(breaches).toEqual([]);
  ask(2, 1);
  expect(breaches).toHaveLength(1);
});
