import { expect, test } from 'vitest';
import type { Happening } from '../world/happening.ts';
import type { Breach } from './invariant.ts';
import { altered, objectors, watchedRun } from './test-run.ts';
import { withinCaLimits } from './within-ca-limits.ts';

test('orders beyond what the CA allows', async () => {
  const outcome = await watchedRun({
    for: '1d',
    scenario: { authority: { limits: { newOrdersPerAccount: { burst: 20, per: '1d' } } } },
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: async (order, signal) => {
          for (let extra = 0; extra < 4; extra++) {
            await ports.authority.newOrder({ names: [`${extra}.${order.names[0]}`] }, signal);
          }
          return await ports.authority.newOrder(order, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toContain('within-ca-limits');
  expect(outcome.shown[0]?.detail).toBe('refused by newOrdersPerAccount although nothing was wrong');
});

function breachesOf(happenings: readonly Happening[]): readonly string[] {
  const breaches: string[] = [];
  const violate = ({ what }: Breach): void => void breaches.push(what);
  const invariant = withinCaLimits({ violate });
  for (const happening of happenings) invariant.onHappening?.(happening);
  return breaches;
}

test('after a fault a 429 may be, a bucket that was overdrawn may not', () => {
  const limited: Happening = { atMs: 1, kind: 'authority', what: 'limited', about: 'newOrdersPerAccount' };
  const overdrawn: Happening = { ...limited, what: 'overdrawn' };
  const outage: Happening = { atMs: 0, kind: 'event', what: 'authority-outage', phase: 'begins' };
  expect(breachesOf([limited, { ...limited, what: 'busy' }])).toHaveLength(2);
  expect(breachesOf([outage, limited])).toHaveLength(0);
  expect(breachesOf([outage, overdrawn])).toHaveLength(1);
  expect(breachesOf([{ ...outage, what: 'power-cut' }, limited])).toHaveLength(1);
});

test('a fault at one CA explains nothing at another', () => {
  const limited: Happening = { atMs: 1, kind: 'authority', what: 'limited', about: 'newOrdersPerAccount' };
  const outage: Happening = { atMs: 0, kind: 'event', what: 'authority-outage', phase: 'begins', ca: 1 };
  expect(breachesOf([outage, limited])).toHaveLength(1);
  expect(breachesOf([outage, { ...limited, ca: 1 }])).toHaveLength(0);
  expect(breachesOf([{ ...outage, what: 'broker-kill' }, limited])).toHaveLength(0);
});
