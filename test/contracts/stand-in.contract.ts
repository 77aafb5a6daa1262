/** What every order store must do about renewals in an appliance's absence. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderStore, StandInWish } from '../../broker/src/certificates/order-store.ts';
import type { Order } from '../../broker/src/certificates/order.ts';
import { unattendedAt } from '../../broker/src/certificates/renewal/stand-in.ts';
import type { CertificateWithChain, StoredCertificate } from '../../broker/src/certificates/stored-certificate.ts';
import { acceptIn, issueIn, requestOf, type OrderStoreUnderTest } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const DUE_MS = NOW_MS + 75 * DAY_MS;

function wishFor({ deviceId, fingerprint, renewAtMs }: StoredCertificate): StandInWish {
  return { deviceId, fingerprint, orderId: 'stand-in', asleepSinceMs: renewAtMs, nowMs: DUE_MS };
}

export function standInContract(name: string, make: () => Promise<OrderStoreUnderTest>): void {
  describe(`stand-ins in ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.orders;
    });

    const issue = async (
      deviceId: string,
      serial: string,
      facts: Partial<CertificateWithChain> = { unattendedAtMs: DUE_MS },
    ): Promise<StoredCertificate> => {
      const order = await acceptIn(store, requestOf(deviceId, `order-${serial}`));
      return issueIn(store, order, serial, facts.issuedAtMs, facts);
    };
    const due = async (nowMs: number, limit = 10): Promise<readonly string[]> =>
      (await store.unattended(nowMs, limit)).map(({ serial }) => serial);
    const newest = async (): Promise<StoredCertificate | undefined> =>
      (await store.dossier('appliance-1')).latestCertificate;
    const standIn = async (certificate: StoredCertificate): Promise<Order> =>
      (await store.standIn(wishFor(certificate))) ?? expect.fail('no order');

    test('without certificates there is nothing to do', async () => {
      expect(await store.unattended(NOW_MS, 10)).toEqual([]);
      expect(await store.nextUnattendedMs()).toBeUndefined();
      const wish = { deviceId: 'appliance-1', fingerprint: 'f', orderId: 'o', asleepSinceMs: 0, nowMs: NOW_MS };
      expect(await store.standIn(wish)).toBeUndefined();
      await store.leaveUnattended('f');
    });

    test('come when they are due, the most overdue first, no more than asked for', async () => {
      const dueMs = { a: NOW_MS - 1, b: NOW_MS - 3, c: NOW_MS, later: NOW_MS + 0.5 };
      for (const [serial, unattendedAtMs] of Object.entries(dueMs))
        await issue(`appliance-${serial}`, serial, { unattendedAtMs });
      await issue('appliance-never', 'never', {});
      store = await subject.reopen();
      expect(await due(NOW_MS)).toEqual(['b', 'a', 'c']);
      expect(await due(NOW_MS, 2)).toEqual(['b', 'a']);
      expect(await due(NOW_MS - 4)).toEqual([]);
      expect(await store.nextUnattendedMs()).toBe(NOW_MS - 3);
    });

    test('move with the renewal, however it is moved, but never begin by that', async () => {
      const moves: readonly ((certificate: StoredCertificate) => Promise<unknown>)[] = [
        async () => await store.renewAt('appliance-1', NOW_MS + DAY_MS),
        async (certificate) => {
          const window = { startMs: NOW_MS, endMs: NOW_MS + DAY_MS };
          return await store.noteRenewal(certificate, {
            renewAtMs: NOW_MS + 2 * DAY_MS,
            window,
            lookUpAtMs: undefined,
          });
        },
        async () => await store.replaceAll(NOW_MS, 3_600_000, false),
      ];
      const certificate = await issue('appliance-1', '1');
      for (const move of moves) {
        await move((await newest()) ?? certificate);
        const moved = await newest();
        expect(moved?.unattendedAtMs).toBe(moved && unattendedAt(moved));
        expect(moved?.unattendedAtMs).toBeLessThan(DUE_MS);
      }
      await store.leaveUnattended(certificate.fingerprint);
      for (const move of moves) await move((await newest()) ?? certificate);
      expect(await newest()).not.toHaveProperty('unattendedAtMs');
      expect(await store.nextUnattendedMs()).toBeUndefined();
    });

    test('stay where they are when the CA says nothing new', async () => {
      const certificate = await issue('appliance-1', '1');
      const { renewAtMs } = certificate;
      await store.noteRenewal(certificate, { renewAtMs, window: undefined, lookUpAtMs: undefined });
      expect(await store.nextUnattendedMs()).toBe(unattendedAt(certificate));
    });

    test('end with a newer certificate, a revocation, and when they are left', async () => {
      await issue('appliance-1', '1');
      await issue('appliance-1', '2', { issuedAtMs: NOW_MS + DAY_MS, unattendedAtMs: DUE_MS + 2 });
      const revoked = await issue('appliance-2', '3');
      await store.noteRevoked(revoked.fingerprint, { reason: 'superseded', atMs: NOW_MS });
      const left = await issue('appliance-3', '4');
      await store.leaveUnattended(left.fingerprint);
      // Came late, and is not the newest.
      await issue('appliance-1', '5', { issuedAtMs: NOW_MS - DAY_MS, unattendedAtMs: DUE_MS });
      store = await subject.reopen();
      expect(await due(DUE_MS + 2)).toEqual(['2']);
    });

    test('open an order with key and request of the former one, which survives a restart', async () => {
      const certificate = await issue('appliance-1', '1');
      const order = await standIn(certificate);
      const { deviceId, names, keyHash, renewAtMs: asleepSinceMs, notAfterMs } = certificate;
      expect(order).toMatchObject({ id: 'stand-in', deviceId, names, keyHash, asleepSinceMs, requestedAtMs: DUE_MS });
      expect(order).toMatchObject({
        purpose: { kind: 'renewal', expiresAtMs: notAfterMs },
        state: { kind: 'waiting' },
      });
      expect(order.csr).toEqual(requestOf('appliance-1', 'order-1').csr);
      expect(await store.nextUnattendedMs()).toBeUndefined();
      store = await subject.reopen();
      expect(await store.openOrders()).toEqual([order]);
    });

    test('become a certificate that says so, and are stood in for again from the same request', async () => {
      const own = await issue('appliance-1', '1');
      const facts = { asleepSinceMs: own.renewAtMs, unattendedAtMs: DUE_MS };
      const second = await issueIn(store, await standIn(own), '2', NOW_MS + DAY_MS, facts);
      store = await subject.reopen();
      expect(await newest()).toEqual(second);
      expect(await store.chain('appliance-1', second.fingerprint)).toBe('chain 2');
      const again = await store.standIn({ ...wishFor(second), orderId: 'stand-in-2' });
      expect(again?.csr).toEqual(requestOf('appliance-1', 'order-1').csr);
    });

    test('are not for one whose appliance has asked, and that is the end of it', async () => {
      const certificate = await issue('appliance-1', '1');
      const order = await acceptIn(store, requestOf('appliance-1', 'order-2'));
      expect(await store.standIn(wishFor(certificate))).toBeUndefined();
      expect(await store.openOrders()).toEqual([order]);
      expect(await store.nextUnattendedMs()).toBeUndefined();
    });

    test('are not for one that was moved meanwhile, and come again', async () => {
      const certificate = await issue('appliance-1', '1');
      await store.renewAt('appliance-1', NOW_MS + 80 * DAY_MS);
      expect(await store.standIn(wishFor(certificate))).toBeUndefined();
      expect(await store.nextUnattendedMs()).toBe(NOW_MS + 85 * DAY_MS);
    });

    test('are not repeated when they are asked for twice', async () => {
      const certificate = await issue('appliance-1', '1');
      const [one, two] = await Promise.all([store.standIn(wishFor(certificate)), store.standIn(wishFor(certificate))]);
      expect([one?.id, two]).toEqual(['stand-in', undefined]);
      expect(await store.openOrders()).toHaveLength(1);
    });

    test('give way to an appliance that comes back with a new key', async () => {
      const order = await standIn(await issue('appliance-1', '1'));
      const rekeyed = await acceptIn(store, requestOf('appliance-1', 'order-2', 'key-2'));
      const { asleepSinceMs: _awake, ...own } = order;
      expect(rekeyed).toEqual({ ...own, keyHash: 'key-2', requestedAtMs: NOW_MS });
      store = await subject.reopen();
      expect(await store.openOrders()).toEqual([rekeyed]);
    });

    test('are met by an appliance that asks with the key it has', async () => {
      const order = await standIn(await issue('appliance-1', '1'));
      expect(await store.accept({ ...requestOf('appliance-1', 'order-1'), requestedAtMs: DUE_MS })).toEqual({
        kind: 'running',
        order,
      });
    });
  });
}
