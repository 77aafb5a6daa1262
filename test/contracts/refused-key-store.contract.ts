/** What every store must do about keys that are never certified again. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { StorePorts } from '../../broker/src/store/store-ports.ts';
import { acceptIn, certificateOf, issueIn, requestOf } from './order-store.contract.ts';

const NOW_MS = 1_700_000_000_000;

type Ports = Pick<StorePorts, 'orders' | 'refusedKeys'>;

export interface RefusedKeyStoreUnderTest {
  readonly store: Ports;
  /** The same medium after a restart of the process. */
  reopen(): Promise<Ports>;
}

export function refusedKeyStoreContract(name: string, make: () => Promise<RefusedKeyStoreUnderTest>): void {
  describe(`refused keys in ${name}`, () => {
    let subject: RefusedKeyStoreUnderTest;
    let store: Ports;

    beforeEach(async () => {
      subject = await make();
      store = subject.store;
    });

    async function certified(deviceId: string, key: string) {
      const order = await acceptIn(store.orders, requestOf(deviceId, `order-${deviceId}`, key));
      return await issueIn(store.orders, order, deviceId);
    }

    test('a key is refused once and for ever', async () => {
      const key = { keyHash: 'key-1', reason: 'operator', sinceMs: NOW_MS + 0.5 } as const;
      expect(await store.refusedKeys.has('key-1')).toBe(false);
      expect(await store.refusedKeys.add(key)).toBe(true);
      expect(await store.refusedKeys.add({ ...key, reason: 'key-compromise', sinceMs: NOW_MS + 1 })).toBe(false);
      const reopened = await subject.reopen();
      expect(await reopened.refusedKeys.has('key-1')).toBe(true);
      expect(await reopened.refusedKeys.list({ limit: 10 })).toEqual([key]);
    });

    test('they are listed by hash, page by page', async () => {
      for (const keyHash of ['c', 'a', 'b']) {
        await store.refusedKeys.add({ keyHash, reason: 'operator', sinceMs: NOW_MS });
      }
      expect(await store.refusedKeys.list({ limit: 2 })).toMatchObject([{ keyHash: 'a' }, { keyHash: 'b' }]);
      expect(await store.refusedKeys.list({ after: 'b', limit: 2 })).toMatchObject([{ keyHash: 'c' }]);
    });

    test('a key that an operator refuses opens no order, whoever asks and whatever it has', async () => {
      await certified('appliance-1', 'key-1');
      for (const keyHash of ['key-1', 'key-2']) {
        await store.refusedKeys.add({ keyHash, reason: 'operator', sinceMs: NOW_MS });
      }
      for (const [deviceId, key] of [
        ['appliance-1', 'key-1'],
        ['appliance-2', 'key-1'],
        ['appliance-2', 'key-2'],
      ] as const) {
        expect(await store.orders.accept(requestOf(deviceId, 'order-9', key))).toEqual({ kind: 'key-refused' });
      }
      expect(await store.orders.openOrders()).toEqual([]);
    });

    test('a certificate whose key was refused while it was ordered is replaced at once', async () => {
      const order = await acceptIn(store.orders, requestOf('appliance-1', 'order-1', 'key-1'));
      await store.refusedKeys.add({ keyHash: 'key-1', reason: 'operator', sinceMs: NOW_MS });
      const { issuedAtMs } = await issueIn(store.orders, order, '1');
      expect((await store.orders.dossier('appliance-1')).latestCertificate?.renewAtMs).toBe(issuedAtMs);
    });

    test.each([true, false])('no order is opened in absence for a refused key; refused: %j', async (isRefused) => {
      const order = await acceptIn(store.orders, requestOf('appliance-1', 'order-1', 'key-1'));
      const certificate = { ...certificateOf(order, '1'), unattendedAtMs: NOW_MS };
      const state = { kind: 'issued', fingerprint: certificate.fingerprint } as const;
      await store.orders.complete({ ...order, state }, certificate);
      if (isRefused) await store.refusedKeys.add({ keyHash: 'key-1', reason: 'operator', sinceMs: NOW_MS });
      const { deviceId, fingerprint } = certificate;
      const wish = { deviceId, fingerprint, orderId: 'order-2', asleepSinceMs: NOW_MS, nowMs: NOW_MS };
      expect((await store.orders.standIn(wish))?.id).toBe(isRefused ? undefined : 'order-2');
    });

    test('a compromised key is refused with the same stroke as its certificate is noted as revoked', async () => {
      const { fingerprint } = await certified('appliance-1', 'key-1');
      const other = await certified('appliance-2', 'key-2');
      await store.orders.noteRevoked(fingerprint, { reason: 'key-compromise', atMs: NOW_MS });
      await store.orders.noteRevoked(fingerprint, { reason: 'key-compromise', atMs: NOW_MS + 1 });
      await store.orders.noteRevoked(other.fingerprint, { reason: 'superseded', atMs: NOW_MS });
      expect(await store.refusedKeys.list({ limit: 10 })).toEqual([
        { keyHash: 'key-1', reason: 'key-compromise', sinceMs: NOW_MS },
      ]);
      expect(await store.orders.accept(requestOf('appliance-1', 'order-9', 'key-1'))).toEqual({ kind: 'key-refused' });
    });
  });
}
