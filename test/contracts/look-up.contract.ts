/** What every order store must do about renewal information. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { NotedRenewal, OrderStore } from '../../broker/src/certificates/order-store.ts';
import type { StoredCertificate } from '../../broker/src/certificates/stored-certificate.ts';
import { acceptIn, issueIn, requestOf, type OrderStoreUnderTest } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
/** As `issueIn` has it. */
const CA = 'ca';

export function lookUpContract(name: string, make: () => Promise<OrderStoreUnderTest>): void {
  describe(`look-ups in ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.orders;
    });

    const issue = async (
      deviceId: string,
      serial: string,
      facts: Partial<StoredCertificate>,
    ): Promise<StoredCertificate> => {
      const order = await acceptIn(store, requestOf(deviceId, `order-${serial}`));
      return issueIn(store, order, serial, facts.issuedAtMs, facts);
    };
    const due = async (nowMs: number, limit = 10): Promise<readonly string[]> =>
      (await store.toLookUp(CA, nowMs, limit)).map(({ serial }) => serial);

    test('without certificates there is nothing to look up', async () => {
      expect(await store.toLookUp(CA, NOW_MS, 10)).toEqual([]);
      expect(await store.nextLookUpMs(CA)).toBeUndefined();
      expect(
        await store.noteRenewal({ fingerprint: 'f', renewAtMs: 0 }, { renewAtMs: 1, window: undefined, lookUpAtMs: 1 }),
      ).toBe(false);
    });

    test('come when they are due, the most overdue first, no more than asked for', async () => {
      const dueMs = { a: NOW_MS - 1, b: NOW_MS - 3, c: NOW_MS, later: NOW_MS + 0.5 };
      for (const [serial, lookUpAtMs] of Object.entries(dueMs))
        await issue(`appliance-${serial}`, serial, { lookUpAtMs });
      await issue('appliance-never', 'never', {});
      store = await subject.reopen();
      expect(await due(NOW_MS)).toEqual(['b', 'a', 'c']);
      expect(await due(NOW_MS, 2)).toEqual(['b', 'a']);
      expect(await due(NOW_MS, 0)).toEqual([]);
      expect(await due(NOW_MS - 4)).toEqual([]);
      expect(await store.nextLookUpMs(CA)).toBe(NOW_MS - 3);
    });

    test('are given with all that is known of the certificate', async () => {
      const window = { startMs: NOW_MS + DAY_MS, endMs: NOW_MS + 2 * DAY_MS };
      const certificate = await issue('appliance-1', '1', { lookUpAtMs: NOW_MS, renewalId: 'id', window });
      expect(await store.toLookUp(CA, NOW_MS, 1)).toEqual([certificate]);
    });

    test('end for a certificate when a newer one has come', async () => {
      const former = await issue('appliance-1', '1', { lookUpAtMs: NOW_MS });
      const newest = await issue('appliance-1', '2', { issuedAtMs: NOW_MS + DAY_MS, lookUpAtMs: NOW_MS + 2 });
      expect(await due(NOW_MS + 2)).toEqual(['2']);
      expect(await store.nextLookUpMs(CA)).toBe(NOW_MS + 2);
      const renewal = { renewAtMs: NOW_MS, window: undefined, lookUpAtMs: NOW_MS };
      expect(await store.noteRenewal(former, renewal)).toBe(false);
      expect(await due(NOW_MS + 2)).toEqual(['2']);
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual(newest);
    });

    test('never begin for a certificate that is not the newest when it comes', async () => {
      await issue('appliance-1', '2', { issuedAtMs: NOW_MS + DAY_MS });
      const late = await issue('appliance-1', '1', { issuedAtMs: NOW_MS, lookUpAtMs: NOW_MS });
      expect(await due(NOW_MS)).toEqual([]);
      expect(await store.nextLookUpMs(CA)).toBeUndefined();
      const renewal = { renewAtMs: NOW_MS, window: undefined, lookUpAtMs: NOW_MS };
      expect(await store.noteRenewal(late, renewal)).toBe(false);
    });

    test('do not begin again when the completion of a former certificate is repeated', async () => {
      const order = await acceptIn(store, requestOf('appliance-1', 'order-1'));
      const former = await issueIn(store, order, '1', NOW_MS, { lookUpAtMs: NOW_MS });
      await issue('appliance-1', '2', { issuedAtMs: NOW_MS + DAY_MS });
      const closed = { ...order, state: { kind: 'issued', fingerprint: former.fingerprint } } as const;
      await store.complete(closed, { ...former, chain: 'chain 1' });
      expect(await due(NOW_MS)).toEqual([]);
    });

    test('note what the CA said, and replace what it said before', async () => {
      const certificate = await issue('appliance-1', '1', { lookUpAtMs: NOW_MS });
      await issue('appliance-2', '2', { lookUpAtMs: NOW_MS });
      const window = { startMs: NOW_MS + DAY_MS, endMs: NOW_MS + 2 * DAY_MS };
      const explanationUrl = 'https://ca.example/incident';
      const renewAtMs = NOW_MS + 1.5 * DAY_MS;
      const said: NotedRenewal = { renewAtMs, window, explanationUrl, lookUpAtMs: NOW_MS + 5 };
      expect(await store.noteRenewal(certificate, said)).toBe(true);
      store = await subject.reopen();
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual({ ...certificate, ...said });
      expect(await due(NOW_MS)).toEqual(['2']);
      expect(await store.nextLookUpMs(CA)).toBe(NOW_MS);
      expect(await due(NOW_MS + 5)).toEqual(['2', '1']);

      const nothing: NotedRenewal = { renewAtMs: NOW_MS + 1, window: undefined, lookUpAtMs: undefined };
      expect(await store.noteRenewal({ ...certificate, renewAtMs }, nothing)).toBe(true);
      const { lookUpAtMs: _never, ...facts } = certificate;
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual({ ...facts, renewAtMs: NOW_MS + 1 });
      expect(await due(NOW_MS + 5)).toEqual(['2']);
    });

    test('leave an instant alone that somebody moved while the CA was asked', async () => {
      const certificate = await issue('appliance-1', '1', { lookUpAtMs: NOW_MS });
      await store.renewAt('appliance-1', NOW_MS + 7);
      const said: NotedRenewal = { renewAtMs: NOW_MS + DAY_MS, window: undefined, lookUpAtMs: NOW_MS + 5 };
      expect(await store.noteRenewal(certificate, said)).toBe(true);
      const { latestCertificate } = await store.dossier('appliance-1');
      expect(latestCertificate).toMatchObject({ renewAtMs: NOW_MS + 7, lookUpAtMs: NOW_MS + 5 });
    });
  });
}
