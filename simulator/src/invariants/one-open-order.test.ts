import { expect, test } from 'vitest';
import type { Happening } from '../world/happening.ts';
import { oneOpenOrder } from './one-open-order.ts';
import { NO_FACTS } from './test-facts.ts';
import { altered, objectors, watchedRun } from './test-run.ts';

test('books in which a repeated request opens a second order', async () => {
  let sent = 0;
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({
      ...ports,
      // Unanswered, the appliance repeats its request while the first is being worked on.
      send: (deviceId, message) =>
        message.kind === 'certificate' && message.certificate.kind === 'accepted' && sent++ < 5
          ? true
          : ports.send(deviceId, message),
      // Slow enough for that.
      authority: altered(ports.authority, { newOrder: () => new Promise(() => {}) }),
      orders: altered(ports.orders, {
        accept: async (request) => {
          const acceptance = await ports.orders.accept(request);
          if (acceptance.kind !== 'running') return acceptance;
          return { kind: 'accepted', order: { ...acceptance.order, id: request.orderId } };
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['one-open-order']);
  expect(outcome.shown[0]?.detail).toMatch(/^order \w+ was opened while \w+ was open$/);
});

test('a broker that places two orders at the CA where one would do', async () => {
  const outcome = await watchedRun({
    for: '1d',
    between: (ports) => ({
      ...ports,
      authority: altered(ports.authority, {
        newOrder: async (order, signal) => {
          const [name = ''] = order.names;
          await ports.authority.newOrder({ names: [name, `www.${name}`] }, signal);
          return await ports.authority.newOrder(order, signal);
        },
      }),
    }),
  });
  expect(objectors(outcome)).toEqual(['one-open-order']);
  expect(outcome.total).toBe(5);
  expect(outcome.shown[0]?.detail).toMatch(/^the CA has a second order for it, \d s after/);
});

test('what was left at a CA that is away is not at another', () => {
  const ordered = { kind: 'authority', appliance: 0, what: 'ordered', about: 'new' } as const;
  expect(
    breaches([
      { ...ordered, atMs: 1_000 },
      { ...ordered, atMs: 2_000 },
    ]),
  ).toBe(1);
  expect(
    breaches([
      { ...ordered, atMs: 1_000 },
      { ...ordered, atMs: 2_000, ca: 1 },
    ]),
  ).toBe(0);
  expect(
    breaches([
      { ...ordered, atMs: 1_000, ca: 1 },
      { ...ordered, atMs: 2_000, ca: 1 },
    ]),
  ).toBe(1);
});

function breaches(happenings: readonly Happening[]): number {
  let found = 0;
  const invariant = oneOpenOrder({ facts: { ...NO_FACTS, appliances: 1 }, violate: () => void found++ });
  for (const happening of happenings) invariant.onHappening?.(happening);
  return found;
}
