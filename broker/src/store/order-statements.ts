/** The order store's operations on an open database. Each runs inside a transaction that its caller opened. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { OrderStore } from '../certificates/order-store.ts';
import { decideRequest } from '../certificates/request.ts';
import { certificateTable } from './certificate-table.ts';
import { orderTable } from './order-table.ts';
import type { Synchronous } from './synchronous.ts';

export function orderStatements(database: DatabaseSync): Synchronous<OrderStore> {
  const orders = orderTable(database);
  const certificates = certificateTable(database);
  return {
    accept(request) {
      const { deviceId, keyHash, requestedAtMs } = request;
      const openOrder = orders.openOf(deviceId);
      const latestCertificate = certificates.newestOf(deviceId);
      const keyFirstSeenFrom = orders.keyFirstSeenFrom(keyHash);
      const decision = decideRequest({ openOrder, latestCertificate, keyFirstSeenFrom }, request);
      if (decision.kind === 'accepted') {
        orders.put(decision.order);
        orders.noteKey(keyHash, deviceId, requestedAtMs);
      }
      return decision;
    },
    save: (order) => orders.save(order),
    complete(order, certificate) {
      // Only an order that has not gone out can take another key: one that comes back with a certificate cannot have.
      if (!orders.save(order)) throw new LanyardError('store-failed', { message: `order ${order.id} has another key` });
      const former = certificates.newestOf(order.deviceId);
      certificates.put(order, certificate);
      const isNewest = former === undefined || former.issuedAtMs <= certificate.issuedAtMs;
      if (!isNewest || former?.fingerprint === certificate.fingerprint) return;
      // Only the newest chain is handed out and only the newest request renewed: the rest is nine tenths of a row.
      certificates.putChain(certificate);
      if (former) orders.forgetRequest(former.orderId);
    },
    openOrders: () => orders.open(),
    dossier(deviceId) {
      const openOrder = orders.openOf(deviceId);
      const latestCertificate = certificates.newestOf(deviceId);
      return { ...(openOrder ? { openOrder } : {}), ...(latestCertificate ? { latestCertificate } : {}) };
    },
    chain: (deviceId, fingerprint) => certificates.chainOf(deviceId, fingerprint),
    markInstalled(deviceId, fingerprint, nowMs) {
      const newest = certificates.newestOf(deviceId);
      if (newest?.fingerprint !== fingerprint) return undefined;
      if (newest.installedAtMs !== undefined) return newest;
      certificates.noteInstalled(fingerprint, nowMs);
      return { ...newest, installedAtMs: nowMs };
    },
    renewAt(deviceId, renewAtMs) {
      const newest = certificates.newestOf(deviceId);
      if (!newest) return false;
      certificates.moveRenewal(newest.fingerprint, renewAtMs);
      return true;
    },
  };
}
