/** What every order store must do about the budget of a CA account. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Bucket, BucketChange } from '../../broker/src/certificates/budget/bucket.ts';
import type { PlacementWish } from '../../broker/src/certificates/budget/placement-wish.ts';
import type { AuthorityTerms } from '../../broker/src/certificates/budget/rate-limit.ts';
import type { OrderStore } from '../../broker/src/certificates/order-store.ts';
import type { Order } from '../../broker/src/certificates/order.ts';
import { acceptIn, certificateOf, issueIn, requestOf, type OrderStoreUnderTest } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 86_400_000;
const DOMAIN = 'example.com';

export const newOrders: Bucket = { authority: 'ca', limit: 'new-orders', subject: '' };
export const ofDomain: Bucket = { authority: 'ca', limit: 'registered-domain', subject: DOMAIN };
export const oneAnHour = { burst: 1, periodMs: HOUR_MS };
const spend = { kind: 'spend', bucket: ofDomain, limit: { burst: 2, periodMs: WEEK_MS }, atMs: NOW_MS } as const;

export const proving = {
  kind: 'proving',
  orderUrl: 'https://ca/order/1',
  challenges: [],
  notBeforeMs: NOW_MS,
  tries: 0,
} as const;

export function termsOf(limits: AuthorityTerms['limits']): AuthorityTerms {
  return { id: 'ca', limits, renewals: 'exempt' };
}

export function wishOf(order: Order, terms: AuthorityTerms, nowMs = NOW_MS): PlacementWish {
  return { order, terms, registeredDomains: [DOMAIN], nowMs, leaving: 0 };
}

export function collected(order: Order, serial: string): Order {
  const aftermath = { kind: 'issued', fingerprint: `fingerprint-${serial}` } as const;
  return { ...order, state: { kind: 'clearing', challenges: [], aftermath, notBeforeMs: NOW_MS, tries: 0 } };
}

export function orderBudgetContract(name: string, make: () => Promise<OrderStoreUnderTest>): void {
  describe(`the budget in ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.orders;
    });

    const accept = (n: number): Promise<Order> => acceptIn(store, requestOf(`appliance-${n}`, `order-${n}`));
    const rekey = (): Promise<Order> => acceptIn(store, requestOf('appliance-1', 'order-1-again', 'key-2'));
    const levels = (nowMs = NOW_MS) => store.levels('ca', nowMs, 10);
    const storedOrder = async (order: Order) => (await store.dossier(order.deviceId)).openOrder;

    describe('what a step spends', () => {
      test('is stored with the order’s state', async () => {
        const order = await accept(1);
        expect(await store.save({ ...order, state: proving }, [spend, spend])).toBe(true);
        store = await subject.reopen();
        expect(await levels()).toEqual([{ bucket: ofDomain, fullAtMs: NOW_MS + WEEK_MS }]);
        expect((await storedOrder(order))?.state).toEqual(proving);
      });

      test('is not spent when the order has another key by now, is unknown or closed', async () => {
        const order = await accept(1);
        await rekey();
        expect(await store.save(order, [spend])).toBe(false);
        await expect(store.save({ ...order, id: 'order-9' }, [spend])).rejects.toMatchObject({ code: 'store-failed' });
        const closed = await accept(3);
        await issueIn(store, closed, '3');
        await expect(store.save(closed, [spend])).rejects.toMatchObject({ code: 'store-failed' });
        expect(await levels()).toEqual([]);
      });

      test('leaves the order as it was when it cannot be stored', async () => {
        const order = await accept(1);
        // Not a number is NULL to the engine: it refuses the row itself, after the order was written.
        const changes: readonly BucketChange[] = [spend, { ...spend, bucket: newOrders, atMs: Number.NaN }];
        const saved = store.save({ ...order, state: proving }, changes);
        await expect(saved).rejects.toMatchObject({ code: 'store-failed' });
        const completed = store.complete(collected(order, '1'), certificateOf(order, '1'), changes);
        await expect(completed).rejects.toMatchObject({ code: 'store-failed' });
        expect(await store.dossier(order.deviceId)).toEqual({ openOrder: order });
        expect(await levels()).toEqual([]);
      });

      test('is stored with the certificate, once', async () => {
        const order = await accept(1);
        await store.complete(collected(order, '1'), certificateOf(order, '1'), [spend]);
        const once = [{ bucket: ofDomain, fullAtMs: NOW_MS + WEEK_MS / 2 }];
        expect(await levels()).toEqual(once);
        await store.complete(collected(order, '1'), certificateOf(order, '1'), [spend]);
        expect(await levels()).toEqual(once);
      });

      test('is not spent when the certificate belongs to another order', async () => {
        const order = await accept(1);
        await issueIn(store, await accept(2), 'taken');
        const stolen = { ...certificateOf(order, '1'), fingerprint: 'fingerprint-taken' };
        const completed = store.complete(collected(order, 'taken'), stolen, [spend]);
        await expect(completed).rejects.toMatchObject({ code: 'store-failed' });
        expect(await levels()).toEqual([]);
      });

      test('is there again after a refill', async () => {
        const order = await accept(1);
        const refill: BucketChange = { kind: 'refill', bucket: ofDomain };
        await store.save(order, [refill, spend]);
        expect(await levels()).toHaveLength(1);
        await store.save(order, [refill]);
        expect(await levels()).toEqual([]);
      });
    });

    test('levels are those of one account that are not full, the emptiest first, no more than asked for', async () => {
      const order = await accept(1);
      const emptied = (subjectOf: string, hours: number, authority = 'ca'): BucketChange => {
        const bucket: Bucket = { authority, limit: 'failed-authorizations', subject: subjectOf };
        return { kind: 'empty', bucket, limit: oneAnHour, untilMs: NOW_MS + hours * HOUR_MS };
      };
      await store.save(order, [emptied('b', 2), emptied('c', 3), emptied('a', 1), emptied('z', 9, 'another-ca')]);
      const subjects = async (nowMs: number, limit: number): Promise<readonly string[]> =>
        (await store.levels('ca', nowMs, limit)).map(({ bucket }) => bucket.subject);
      expect(await subjects(NOW_MS, 10)).toEqual(['c', 'b', 'a']);
      expect(await subjects(NOW_MS, 2)).toEqual(['c', 'b']);
      expect(await subjects(NOW_MS + HOUR_MS, 10)).toEqual(['c', 'b']);
      expect(await subjects(NOW_MS + 3 * HOUR_MS, 10)).toEqual([]);
      // Full buckets are forgotten by and by: that changes no answer.
      const placed = await store.place(wishOf(await accept(2), termsOf({}), NOW_MS + 2 * HOUR_MS));
      expect(placed.kind).toBe('placed');
      expect(await subjects(NOW_MS + 2 * HOUR_MS, 10)).toEqual(['c']);
      expect(await store.levels('another-ca', NOW_MS, 10)).toHaveLength(1);
    });
  });
}
