/** What every order store must do, whatever it keeps orders in. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderStore } from '../../broker/src/certificates/order-store.ts';
import type { Order, OrderChallenge, OrderState, OrderStateKind } from '../../broker/src/certificates/order.ts';
import type { CertificateRequest } from '../../broker/src/certificates/request.ts';
import type { CertificateWithChain, StoredCertificate } from '../../broker/src/certificates/stored-certificate.ts';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;

export interface OrderStoreUnderTest {
  readonly orders: OrderStore;
  /** The same medium after a restart of the process. */
  reopen(): Promise<OrderStore>;
}

export function requestOf(deviceId: string, orderId: string, key = `key-of-${orderId}`): CertificateRequest {
  const names = [`${deviceId}.devices.example.com`];
  return { orderId, deviceId, names, keyHash: key, csr: Uint8Array.of(0, 1, 254, 255), requestedAtMs: NOW_MS };
}

export function certificateOf(order: Order, serial: string, issuedAtMs = NOW_MS): CertificateWithChain {
  return {
    deviceId: order.deviceId,
    orderId: order.id,
    names: order.names,
    chain: `chain ${serial}`,
    fingerprint: `fingerprint-${serial}`,
    keyHash: order.keyHash,
    serial,
    notBeforeMs: issuedAtMs - 3_600_000,
    notAfterMs: issuedAtMs + 90 * DAY_MS,
    issuedAtMs,
    authority: 'ca',
    renewAtMs: issuedAtMs + 60 * DAY_MS,
  };
}

type Issued = typeof issueIn extends (store: OrderStore, ...given: infer Given) => unknown ? Given : never;

function factsOf({ chain: _bulk, ...facts }: CertificateWithChain): StoredCertificate {
  return facts;
}

const atAuthorization = { authorizationUrl: 'https://ca/authz/1', challengeUrl: 'c1' };
const challenges: readonly OrderChallenge[] = [
  { kind: 'txt', name: '_acme-challenge.a.example.com', value: 'v1', ...atAuthorization },
  { kind: 'http', name: 'a.example.com', value: 'token.thumbprint', ...atAuthorization },
];
const atCa = { orderUrl: 'https://ca/order/1', challenges, notBeforeMs: NOW_MS + 0.5, tries: 3 };
const STATES: { readonly [Kind in OrderStateKind]: readonly Extract<OrderState, { kind: Kind }>[] } = {
  waiting: [
    { kind: 'waiting', notBeforeMs: NOW_MS, tries: 1 },
    { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0, isPlain: true },
  ],
  ordering: [{ kind: 'ordering', notBeforeMs: NOW_MS, tries: 0 }],
  authorizing: [{ kind: 'authorizing', ...atCa }],
  publishing: [{ kind: 'publishing', ...atCa }],
  triggering: [{ kind: 'triggering', ...atCa }],
  proving: [{ kind: 'proving', ...atCa }],
  finalizing: [{ kind: 'finalizing', finalizeUrl: 'https://ca/finalize/1', ...atCa }],
  collecting: [{ kind: 'collecting', ...atCa, challenges: [] }],
  clearing: [
    { kind: 'clearing', challenges, aftermath: { kind: 'again', notBeforeMs: NOW_MS }, notBeforeMs: NOW_MS, tries: 2 },
    { kind: 'clearing', challenges, aftermath: { kind: 'issued', fingerprint: 'f' }, notBeforeMs: NOW_MS, tries: 0 },
  ],
  issued: [{ kind: 'issued', fingerprint: 'fingerprint-1' }],
};

/** Opens an order in `store`. */
export async function acceptIn(store: OrderStore, request: CertificateRequest): Promise<Order> {
  const acceptance = await store.accept(request);
  if (acceptance.kind !== 'accepted') throw new Error(`expected an order, got ${acceptance.kind}`);
  return acceptance.order;
}

/** Fulfils and closes the order. */
export async function issueIn(
  store: OrderStore,
  order: Order,
  serial: string,
  issuedAtMs = NOW_MS,
  facts: Partial<CertificateWithChain> = {},
): Promise<StoredCertificate> {
  const certificate = { ...certificateOf(order, serial, issuedAtMs), ...facts };
  const aftermath = { kind: 'issued', fingerprint: certificate.fingerprint } as const;
  const clearing = { kind: 'clearing', challenges, aftermath, notBeforeMs: issuedAtMs, tries: 0 } as const;
  await store.complete({ ...order, state: clearing }, certificate);
  expect(await store.save({ ...order, state: aftermath })).toBe(true);
  return factsOf(certificate);
}

export function orderStoreContract(name: string, make: () => Promise<OrderStoreUnderTest>): void {
  describe(`orders in ${name}`, () => {
    let subject: OrderStoreUnderTest;
    let store: OrderStore;

    beforeEach(async () => {
      subject = await make();
      store = subject.orders;
    });

    const accept = (request: CertificateRequest): Promise<Order> => acceptIn(store, request);
    const issue = (...given: Issued): Promise<StoredCertificate> => issueIn(store, ...given);

    test('knows nothing of an appliance that never asked', async () => {
      expect(await store.dossier('appliance-1')).toEqual({});
      expect(await store.openOrders()).toEqual([]);
      expect(await store.markInstalled('appliance-1', 'f', NOW_MS)).toBeUndefined();
      expect(await store.chain('appliance-1', 'f')).toBeUndefined();
      expect(await store.renewAt('appliance-1', NOW_MS)).toBe(false);
    });

    test('stores an accepted request byte for byte, and finds it after a restart', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      expect(order.csr).toEqual(Uint8Array.of(0, 1, 254, 255));
      const again = await subject.reopen();
      expect(await again.openOrders()).toEqual([order]);
      expect(await again.dossier('appliance-1')).toEqual({ openOrder: order });
    });

    test('a request that is repeated meets its running order', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1', 'key-1'));
      const repeated = await store.accept(requestOf('appliance-1', 'order-2', 'key-1'));
      expect(repeated).toEqual({ kind: 'running', order });
      expect(await store.openOrders()).toHaveLength(1);
    });

    test('a request that is repeated after the restart meets its running order, too', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1', 'key-1'));
      store = await subject.reopen();
      expect(await store.accept(requestOf('appliance-1', 'order-2', 'key-1'))).toEqual({ kind: 'running', order });
    });

    test('the same request many times at once gives one order', async () => {
      const requests = Array.from({ length: 20 }, (_, n) => requestOf('appliance-1', `order-${n}`, 'key-1'));
      const kinds = (await Promise.all(requests.map((request) => store.accept(request)))).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'running')).toHaveLength(19);
      expect(await store.openOrders()).toHaveLength(1);
    });

    test('different keys of one appliance at once give one order, that of the last', async () => {
      const requests = Array.from({ length: 20 }, (_, n) => requestOf('appliance-1', `order-${n}`));
      await Promise.all(requests.map((request) => store.accept(request)));
      const open = await store.openOrders();
      expect(open).toHaveLength(1);
      expect(open[0]).toMatchObject({ id: 'order-0', keyHash: 'key-of-order-19' });
    });

    test('a key that another appliance used is refused, and nothing changes', async () => {
      await accept(requestOf('appliance-1', 'order-1', 'key-1'));
      expect(await store.accept(requestOf('appliance-2', 'order-2', 'key-1'))).toEqual({ kind: 'key-reused' });
      expect(await store.dossier('appliance-2')).toEqual({});
    });

    test('a key that was certified before is refused once its certificate is due', async () => {
      await issue(await accept(requestOf('appliance-1', 'order-1', 'key-1')), '1');
      await store.renewAt('appliance-1', NOW_MS);
      store = await subject.reopen();
      expect(await store.accept(requestOf('appliance-1', 'order-2', 'key-1'))).toEqual({ kind: 'key-reused' });
    });

    test('a key that was given up before its order went out stays used', async () => {
      await accept(requestOf('appliance-1', 'order-1', 'key-1'));
      await accept(requestOf('appliance-1', 'order-2', 'key-2'));
      expect(await store.accept(requestOf('appliance-1', 'order-3', 'key-1'))).toEqual({ kind: 'key-reused' });
    });

    test('a request that was refused as busy does not use up its key', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      await store.save({ ...order, state: { kind: 'ordering', notBeforeMs: NOW_MS, tries: 0 } });
      expect((await store.accept(requestOf('appliance-1', 'order-2', 'key-2'))).kind).toBe('busy');
      await issue(order, '1');
      expect((await store.accept(requestOf('appliance-1', 'order-3', 'key-2'))).kind).toBe('accepted');
    });

    test('a fulfilled request that is repeated gets its certificate', async () => {
      const certificate = await issue(await accept(requestOf('appliance-1', 'order-1', 'key-1')), '1');
      const repeated = await store.accept(requestOf('appliance-1', 'order-2', 'key-1'));
      expect(repeated).toEqual({ kind: 'issued', certificate });
      expect(await store.openOrders()).toEqual([]);
    });

    test('a waiting order takes its appliance’s new key in place and keeps what it went through', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      const lastFailure = { code: 'authority-refused', message: 'no', atMs: NOW_MS } as const;
      const state = { kind: 'waiting', notBeforeMs: NOW_MS + DAY_MS, tries: 0 } as const;
      await store.save({ ...order, failures: 4, lastFailure, state });
      const rekeyed = await accept(requestOf('appliance-1', 'order-2', 'key-2'));
      expect(rekeyed).toEqual({ ...order, keyHash: 'key-2', failures: 4, lastFailure, state });
      expect(await store.openOrders()).toEqual([rekeyed]);
    });

    test('a writer that still holds the former key of an order changes nothing', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      const rekeyed = await accept(requestOf('appliance-1', 'order-2', 'key-2'));
      expect(await store.save({ ...order, state: { kind: 'ordering', notBeforeMs: NOW_MS, tries: 0 } })).toBe(false);
      expect(await store.openOrders()).toEqual([rekeyed]);
    });

    test('every state survives a restart as it was', async () => {
      const saved: Order[] = [];
      for (const [index, state] of Object.values(STATES).flat().entries()) {
        const order = await accept(requestOf(`appliance-${index}`, `order-${index}`));
        const lastFailure = { code: 'dns-serving-failed', message: 'naïve “text”\n', atMs: NOW_MS } as const;
        const changed: Order = { ...order, failures: 7, lastFailure, state };
        expect(await store.save(changed)).toBe(true);
        saved.push(changed);
      }
      store = await subject.reopen();
      for (const order of saved) {
        const expected = order.state.kind === 'issued' ? {} : { openOrder: order };
        expect(await store.dossier(order.deviceId)).toEqual(expected);
      }
    });

    test('what an order is for survives a restart', async () => {
      for (const days of [1, 61, 91]) {
        const deviceId = `appliance-${days}`;
        await issue(await accept(requestOf(deviceId, `first-${days}`)), `${days}`);
        const again = { ...requestOf(deviceId, `second-${days}`), requestedAtMs: NOW_MS + days * DAY_MS };
        const order = await accept(again);
        expect(order.purpose).toBeDefined();
        store = await subject.reopen();
        expect((await store.dossier(deviceId)).openOrder).toEqual(order);
      }
    });

    test('what the CA said of a certificate survives a restart', async () => {
      const said = {
        authority: 'https://ca.example/directory',
        renewalId: 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE',
        window: { startMs: NOW_MS + 0.5, endMs: NOW_MS + DAY_MS },
        explanationUrl: 'https://ca.example/why',
        lookUpAtMs: NOW_MS + 1,
      };
      const certificate = await issue(await accept(requestOf('appliance-1', 'order-1')), '1', NOW_MS, said);
      store = await subject.reopen();
      expect(certificate).toMatchObject(said);
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual(certificate);
    });

    test('saving what is saved already changes nothing, also of a closed order', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      await issue(order, '1');
      expect(await store.save({ ...order, state: { kind: 'issued', fingerprint: 'fingerprint-1' } })).toBe(true);
    });

    test('a closed order is not opened again', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      await issue(order, '1');
      const stale = { ...order, state: { kind: 'waiting', notBeforeMs: NOW_MS, tries: 0 } } as const;
      await expect(store.save(stale)).rejects.toMatchObject({ code: 'store-failed' });
      expect(await store.openOrders()).toEqual([]);
    });

    test('an order that was never accepted cannot be saved', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      await expect(store.save({ ...order, id: 'order-2' })).rejects.toMatchObject({ code: 'store-failed' });
      await expect(store.save({ ...order, deviceId: 'appliance-2' })).rejects.toMatchObject({ code: 'store-failed' });
      expect(await store.openOrders()).toEqual([order]);
    });

    test('open orders come oldest first, without the closed ones', async () => {
      const ids = ['order-c', 'order-a', 'order-d', 'order-b'];
      for (const [index, id] of ids.entries()) {
        await accept({ ...requestOf(`appliance-${id}`, id), requestedAtMs: NOW_MS - (index < 3 ? index : 2) });
      }
      const closed = await accept({ ...requestOf('appliance-e', 'order-e'), requestedAtMs: 0 });
      await issue(closed, '1');
      const open = await store.openOrders();
      expect(open.map(({ id }) => id)).toEqual(['order-b', 'order-d', 'order-a', 'order-c']);
    });

    test('certificate and closing step come together or not at all', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      const other = await accept(requestOf('appliance-2', 'order-2'));
      await issue(other, 'taken');
      const state = { kind: 'collecting', ...atCa } as const;
      await store.save({ ...order, state });
      const stolen = { ...certificateOf(order, '1'), fingerprint: 'fingerprint-taken' };
      const closed = { ...order, state: { kind: 'issued', fingerprint: 'fingerprint-taken' } } as const;
      await expect(store.complete(closed, stolen)).rejects.toMatchObject({ code: 'store-failed' });
      await expect(store.complete(closed, certificateOf(other, '3'))).rejects.toMatchObject({ code: 'store-failed' });
      expect(await store.dossier('appliance-1')).toEqual({ openOrder: { ...order, state } });
    });

    test('a completion that is repeated changes nothing', async () => {
      const order = await accept(requestOf('appliance-1', 'order-1'));
      const certificate = await issue(order, '1');
      await store.markInstalled('appliance-1', certificate.fingerprint, NOW_MS + 5);
      const closed = { ...order, state: { kind: 'issued', fingerprint: certificate.fingerprint } } as const;
      await store.complete(closed, certificateOf(order, '1'));
      const { latestCertificate } = await store.dossier('appliance-1');
      expect(latestCertificate).toEqual({ ...certificate, installedAtMs: NOW_MS + 5 });
    });

    test('the newest certificate is the one that was issued last, whatever came in last', async () => {
      await issue(await accept(requestOf('appliance-1', 'order-1')), '1', NOW_MS);
      const newest = await issue(await accept(requestOf('appliance-1', 'order-2')), '2', NOW_MS + DAY_MS);
      await issue(await accept(requestOf('appliance-1', 'order-3')), '3', NOW_MS - DAY_MS);
      store = await subject.reopen();
      expect(await store.dossier('appliance-1')).toEqual({ latestCertificate: newest });
      expect(await store.chain('appliance-1', newest.fingerprint)).toBe('chain 2');
    });

    test('the chain of the newest certificate is handed out byte for byte, to its appliance only', async () => {
      const former = await issue(await accept(requestOf('appliance-1', 'order-1')), '1');
      const other = await issue(await accept(requestOf('appliance-2', 'order-2')), '2');
      const newest = await issue(await accept(requestOf('appliance-1', 'order-3')), '3', NOW_MS + DAY_MS);
      expect(await store.chain('appliance-1', newest.fingerprint)).toBe('chain 3');
      expect(await store.chain('appliance-1', former.fingerprint)).toBeUndefined();
      expect(await store.chain('appliance-1', other.fingerprint)).toBeUndefined();
    });

    test('a repeat of the last step still finds the certificate after a newer one has come', async () => {
      const first = await accept(requestOf('appliance-1', 'order-1'));
      const former = await issue(first, '1');
      const newest = await issue(await accept(requestOf('appliance-1', 'order-2')), '2', NOW_MS + DAY_MS);
      const closed = { ...first, state: { kind: 'issued', fingerprint: former.fingerprint } } as const;
      await store.complete(closed, certificateOf(first, '1'));
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual(newest);
      expect(await store.chain('appliance-1', newest.fingerprint)).toBe('chain 2');
    });

    test('of two certificates of one instant the later stored is the newest', async () => {
      await issue(await accept(requestOf('appliance-1', 'order-1')), 'b');
      const newest = await issue(await accept(requestOf('appliance-1', 'order-2')), 'a');
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual(newest);
    });

    test('only the newest certificate is noted as installed, and when that was first said', async () => {
      const former = await issue(await accept(requestOf('appliance-1', 'order-1')), '1');
      const newest = await issue(await accept(requestOf('appliance-1', 'order-2')), '2', NOW_MS + DAY_MS);
      expect(await store.markInstalled('appliance-1', former.fingerprint, NOW_MS)).toBeUndefined();
      expect(await store.markInstalled('appliance-2', newest.fingerprint, NOW_MS)).toBeUndefined();
      const installed = { ...newest, installedAtMs: NOW_MS + 1 };
      expect(await store.markInstalled('appliance-1', newest.fingerprint, NOW_MS + 1)).toEqual(installed);
      expect(await store.markInstalled('appliance-1', newest.fingerprint, NOW_MS + 2)).toEqual(installed);
      expect((await store.dossier('appliance-1')).latestCertificate).toEqual(installed);
    });

    test('the renewal of the newest certificate can be moved', async () => {
      const certificate = await issue(await accept(requestOf('appliance-1', 'order-1')), '1');
      expect(await store.renewAt('appliance-1', NOW_MS + 1)).toBe(true);
      const { latestCertificate } = await store.dossier('appliance-1');
      expect(latestCertificate).toEqual({ ...certificate, renewAtMs: NOW_MS + 1 });
    });

    test('what was acknowledged is there after a restart, while the rest goes on', async () => {
      const devices = Array.from({ length: 50 }, (_, n) => `appliance-${n}`);
      const orders = await Promise.all(devices.map((id) => accept(requestOf(id, `order-${id}`))));
      await Promise.all(orders.map((order, n) => issue(order, `${n}`)));
      store = await subject.reopen();
      expect(await store.openOrders()).toEqual([]);
      const dossiers = await Promise.all(devices.map((id) => store.dossier(id)));
      expect(dossiers.map(({ latestCertificate }) => latestCertificate?.serial)).toEqual(devices.map((_, n) => `${n}`));
    });

    test('a failing operation among many takes none of the others with it', async () => {
      const requests = Array.from({ length: 20 }, (_, n) => requestOf(`appliance-${n}`, `order-${n}`));
      // Not a number is NULL to the engine: it refuses the row itself, in the middle of the transaction.
      const broken = { ...requestOf('appliance-x', 'order-x'), requestedAtMs: Number.NaN };
      const outcomes = await Promise.allSettled([...requests, broken, ...requests].map((each) => store.accept(each)));
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
      expect(outcomes[20]).toMatchObject({ status: 'rejected', reason: { code: 'store-failed' } });
      expect(await store.openOrders()).toHaveLength(20);
      expect((await store.accept({ ...broken, requestedAtMs: NOW_MS })).kind).toBe('accepted');
    });
  });
}
