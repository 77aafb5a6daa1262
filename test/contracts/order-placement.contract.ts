/** What every order store must do to place an order at a CA within its budget. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { PlacementWish } from '../../broker/src/certificates/budget/placement-wish.ts';
import type { OrderStore } from '../../broker/src/certificates/order-store.ts';
import type { Order } from '../../broker/src/certificates/order.ts';
import { collected, newOrders, ofDomain, oneAnHour, proving, termsOf, wishOf } from './order-budget.contract.ts';
import { acceptIn, certificateOf, issueIn, requestOf, type OrderStoreUnderTest } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 86_400_000;

function withoutPlacement({ placement: _over, ...order }: Order): Order {
  return { ...order, state: { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 } };
}

export function orderPlacementContract(name: string, make: () => Promise<OrderStoreUnderTest>): void {
  describe(`placements in ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.orders;
    });

    const accept = (n: number): Promise<Order> => acceptIn(store, requestOf(`appliance-${n}`, `order-${n}`));
    const place = async (wish: PlacementWish): Promise<Order> => {
      const placed = await store.place(wish);
      if (placed.kind !== 'placed') throw new Error(`expected a placed order, got ${placed.kind}`);
      return placed.order;
    };
    const rekey = (): Promise<Order> => acceptIn(store, requestOf('appliance-1', 'order-1-again', 'key-2'));
    const levels = (nowMs = NOW_MS) => store.levels('ca', nowMs, 10);
    const storedOrder = async (order: Order) => (await store.dossier(order.deviceId)).openOrder;

    describe('placing', () => {
      test('spends, and what it spent and how the order was placed survive a restart', async () => {
        const order = await accept(1);
        const placed = await place(wishOf(order, termsOf({ 'new-orders': oneAnHour }), NOW_MS + 1));
        expect(placed).toEqual({
          ...order,
          placement: { authority: 'ca', kind: 'new' },
          state: { kind: 'ordering', notBeforeMs: NOW_MS + 1, tries: 0 },
        });
        const spent = await levels();
        expect(spent.map(({ bucket }) => bucket)).toEqual([newOrders]);
        store = await subject.reopen();
        expect(await store.openOrders()).toEqual([placed]);
        expect(await levels()).toEqual(spent);
        expect((await store.place(wishOf(await accept(2), termsOf({ 'new-orders': oneAnHour })))).kind).toBe('short');
      });

      test('gives the last token to one of many who ask at once', async () => {
        const terms = termsOf({ 'new-orders': oneAnHour });
        const orders = await Promise.all(Array.from({ length: 10 }, (_, n) => accept(n)));
        const outcomes = await Promise.all(orders.map((order) => store.place(wishOf(order, terms))));
        expect(outcomes.filter(({ kind }) => kind === 'placed')).toHaveLength(1);
        expect(outcomes.filter(({ kind }) => kind === 'short')).toHaveLength(9);
      });

      test('changes nothing when the budget is short, and says what it waits for', async () => {
        const terms = termsOf({ 'new-orders': oneAnHour });
        await place(wishOf(await accept(1), terms));
        const order = await accept(2);
        const before = await levels();
        const short = await store.place(wishOf(order, terms));
        expect(short).toMatchObject({ kind: 'short', bucket: newOrders });
        expect(short.kind === 'short' && short.untilMs > NOW_MS).toBe(true);
        expect(await storedOrder(order)).toEqual(order);
        expect(await levels()).toEqual(before);
      });

      test('once more, for an answer that was lost, is spent once more and counts its tries on', async () => {
        const terms = termsOf({ 'new-orders': { burst: 2, periodMs: HOUR_MS } });
        const order = await place(wishOf(await accept(1), terms));
        const [once] = await levels();
        const tried = { ...order, state: { kind: 'ordering', notBeforeMs: NOW_MS, tries: 4 } } as const;
        await store.save(tried);
        const again = await place(wishOf(tried, terms, NOW_MS + HOUR_MS / 2));
        expect(again).toEqual({ ...order, state: { kind: 'ordering', notBeforeMs: NOW_MS + HOUR_MS / 2, tries: 4 } });
        const [twice] = await levels();
        expect(twice?.fullAtMs).toBeGreaterThan(once?.fullAtMs ?? Infinity);
      });

      test.for([
        ['has another key by now', () => rekey()],
        ['is closed', (order: Order) => issueIn(store, order, '1')],
      ] as const)('changes nothing when the order %s', async ([, happened]) => {
        const order = await accept(1);
        await happened(order);
        const before = await storedOrder(order);
        expect(await store.place(wishOf(order, termsOf({ 'new-orders': oneAnHour })))).toEqual({ kind: 'replaced' });
        expect(await storedOrder(order)).toEqual(before);
        expect(await levels()).toEqual([]);
      });

      test('changes nothing when the order has gone on already, and says how far', async () => {
        const order = { ...(await accept(1)), state: proving };
        await store.save(order);
        const placed = await store.place(wishOf(order, termsOf({ 'new-orders': oneAnHour })));
        expect(placed).toEqual({ kind: 'ahead', order });
        expect(await levels()).toEqual([]);
      });

      test('changes nothing when the order is not its appliance’s open one', async () => {
        const order = await accept(1);
        const wish = wishOf({ ...order, id: 'order-2' }, termsOf({ 'new-orders': oneAnHour }));
        expect(await store.place(wish)).toEqual({ kind: 'replaced' });
        expect(await store.place(wishOf({ ...order, deviceId: 'nobody' }, wish.terms))).toEqual({ kind: 'replaced' });
        expect(await levels()).toEqual([]);
      });

      test('knows the appliance’s newest certificate for the same names, and no other', async () => {
        const terms = termsOf({ 'new-orders': oneAnHour });
        await issueIn(store, await accept(1), '1', NOW_MS - 2, { renewalId: 'former' });
        await issueIn(store, await acceptIn(store, requestOf('appliance-1', 'order-2')), '2', NOW_MS - 1, {
          renewalId: 'newest',
        });
        const again = await acceptIn(store, { ...requestOf('appliance-1', 'order-3'), requestedAtMs: NOW_MS });
        expect((await place(wishOf(again, terms))).placement).toMatchObject({ kind: 'renewal', replaces: 'newest' });

        await issueIn(store, await accept(4), '4', NOW_MS - 1, { renewalId: 'other names' });
        const names = ['b.devices.example.com'];
        const moved = await acceptIn(store, { ...requestOf('appliance-4', 'order-5'), names });
        expect((await place(wishOf(moved, terms))).placement).toEqual({ authority: 'ca', kind: 'new' });
      });
    });

    describe('a held place', () => {
      const terms = termsOf({ 'registered-domain': { burst: 1, periodMs: WEEK_MS } });

      test('counts against others, also after a restart, but not against its own order', async () => {
        const order = await place(wishOf(await accept(1), terms));
        expect(order.placement?.holds).toEqual(ofDomain);
        const other = await accept(2);
        expect(await store.place(wishOf(other, terms))).toMatchObject({ kind: 'short', bucket: ofDomain });
        store = await subject.reopen();
        expect(await store.place(wishOf(other, terms))).toMatchObject({ kind: 'short', bucket: ofDomain });
        expect((await store.place(wishOf(order, terms))).kind).toBe('placed');
      });

      test('is one of its own bucket only', async () => {
        await place(wishOf(await accept(1), terms));
        const other = await accept(2);
        const elsewhere = { ...wishOf(other, terms), registeredDomains: ['example.org'] };
        expect((await store.place(elsewhere)).kind).toBe('placed');
        const third = await accept(3);
        expect((await store.place(wishOf(third, { ...terms, id: 'another-ca' }))).kind).toBe('placed');
      });

      test.for([
        ['saved without its placement', (order: Order) => store.save(withoutPlacement(order))],
        ['completed', (order: Order) => store.complete(collected(order, '1'), certificateOf(order, '1'))],
        ['closed', (order: Order) => store.save({ ...order, state: { kind: 'issued', fingerprint: 'f' } })],
      ] as const)('is free again when its order is %s', async ([, happened]) => {
        const order = await place(wishOf(await accept(1), terms));
        await happened(order);
        expect((await store.place(wishOf(await accept(2), terms))).kind).toBe('placed');
      });

      test('is kept while its order goes on', async () => {
        const order = await place(wishOf(await accept(1), terms));
        expect(await store.save({ ...order, state: proving })).toBe(true);
        expect(await storedOrder(order)).toEqual({ ...order, state: proving });
        expect((await store.place(wishOf(await accept(2), terms))).kind).toBe('short');
      });
    });
  });
}
