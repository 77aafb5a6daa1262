import { expect, test } from 'vitest';
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
