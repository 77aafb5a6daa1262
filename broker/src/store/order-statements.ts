/** The order store's operations on an open database. Each runs inside a transaction that its caller opened. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Bucket } from '../certificates/budget/bucket.ts';
import { decideAmong } from '../certificates/budget/decide-placement.ts';
import type { OrderStore } from '../certificates/order-store.ts';
import { next } from '../certificates/order-progress.ts';
import type { Order } from '../certificates/order.ts';
import { decideStandIn } from '../certificates/renewal/stand-in.ts';
import { decideRequest } from '../certificates/request.ts';
import { hasExactly } from '../certificates/standing.ts';
import { budgetTable, type BudgetTable } from './budget-table.ts';
import { certificateTable, type CertificateTable } from './certificate-table.ts';
import { orderTable, type OrderTable } from './order-table.ts';
import { refusedKeyTable, type RefusedKeyTable } from './refused-key-table.ts';
import { rowLimit } from './row-limit.ts';
import type { Synchronous } from './synchronous.ts';
import { unattendedTable, type UnattendedTable } from './unattended-table.ts';

type Statements = Synchronous<OrderStore>;

interface Tables {
  readonly orders: OrderTable;
  readonly certificates: CertificateTable;
  readonly budget: BudgetTable;
  readonly refusedKeys: RefusedKeyTable;
  readonly unattended: UnattendedTable;
}

export function orderStatements(database: DatabaseSync): Statements {
  const orders = orderTable(database);
  const certificates = certificateTable(database);
  const budget = budgetTable(database);
  const refusedKeys = refusedKeyTable(database);
  const unattended = unattendedTable(database);
  const tables = { orders, certificates, budget, refusedKeys, unattended };
  return {
    accept: acceptIn(tables),
    place: placeIn(tables),
    save(order, changes = []) {
      if (!orders.save(order)) return false;
      budget.apply(changes);
      return true;
    },
    complete: completeIn(tables),
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
    toLookUp: (authority, nowMs, limit) => certificates.toLookUp(authority, nowMs, rowLimit(limit)),
    nextLookUpMs: (authority) => certificates.nextLookUpMs(authority),
    noteRevoked(fingerprint, revocation) {
      const { reason, atMs } = revocation;
      certificates.noteRevoked(fingerprint, revocation);
      if (reason === 'key-compromise') refusedKeys.addOf(fingerprint, reason, atMs);
    },
    replaceAll: (fromMs, withinMs, isDryRun) => certificates.replaceAll(fromMs, withinMs, isDryRun),
    noteRenewal: (lookedUp, renewal) => certificates.noteRenewal(lookedUp, renewal),
    unattended: (nowMs, limit) => unattended.due(nowMs, rowLimit(limit)),
    nextUnattendedMs: () => unattended.nextMs(),
    standIn: standInOf(tables),
    leaveUnattended: (fingerprint) => unattended.remove(fingerprint),
    levels: (authority, nowMs, limit) => budget.levels(authority, nowMs, rowLimit(limit)),
  };
}

function acceptIn({ orders, certificates, refusedKeys }: Tables): Statements['accept'] {
  return (request) => {
    const { deviceId, keyHash, requestedAtMs } = request;
    const openOrder = orders.openOf(deviceId);
    const latestCertificate = certificates.newestOf(deviceId);
    const keyFirstSeenFrom = orders.keyFirstSeenFrom(keyHash);
    const isKeyRefused = refusedKeys.has(keyHash);
    const decision = decideRequest({ openOrder, latestCertificate, keyFirstSeenFrom, isKeyRefused }, request);
    if (decision.kind === 'accepted') {
      orders.put(decision.order);
      orders.noteKey(keyHash, deviceId, requestedAtMs);
    }
    return decision;
  };
}

function placeIn({ orders, certificates, budget }: Tables): Statements['place'] {
  return (wish) => {
    const { id, deviceId, keyHash, names } = wish.order;
    const stored = orders.openOf(deviceId);
    if (stored?.id !== id || stored.keyHash !== keyHash) return { kind: 'replaced' };
    if (!isToBePlaced(stored)) return { kind: 'ahead', order: stored };
    const newest = certificates.newestOf(deviceId);
    const fullAtMs = (bucket: Bucket) => budget.fullAtMs(bucket);
    const holders = (bucket: Bucket) => budget.holders(bucket, id);
    const decision = decideAmong({ ...wish, order: stored }, (terms) => {
      const former = newest?.authority === terms.id ? newest : newest && certificates.newestFrom(terms.id, deviceId);
      return { predecessor: former && hasExactly(former.names, names) ? former : undefined, fullAtMs, holders };
    });
    if (decision.kind === 'short') return decision;
    const order = next(stored, { kind: 'placed', placement: decision.placement }, wish.nowMs, 0);
    orders.save(order);
    budget.apply(decision.changes);
    budget.sweep(decision.placement.authority, wish.nowMs);
    return { kind: 'placed', order, placement: decision.placement };
  };
}

function standInOf({ orders, certificates, refusedKeys, unattended }: Tables): Statements['standIn'] {
  return (wish) => {
    const { deviceId, fingerprint } = wish;
    const openOrder = orders.openOf(deviceId);
    const latestCertificate = certificates.newestOf(deviceId);
    const isUsable = latestCertificate && !refusedKeys.has(latestCertificate.keyHash);
    const csr = isUsable ? orders.requestOf(latestCertificate.orderId) : undefined;
    const decision = decideStandIn({ openOrder, latestCertificate, csr }, wish);
    if (decision.kind === 'later') return undefined;
    unattended.remove(fingerprint);
    if (decision.kind === 'never') return undefined;
    orders.put(decision.order);
    return decision.order;
  };
}

function isToBePlaced({ state }: Order): boolean {
  return state.kind === 'waiting' || state.kind === 'ordering';
}

function completeIn({ orders, certificates, budget, refusedKeys }: Tables): Statements['complete'] {
  return (order, issued, changes = []) => {
    // Refused while it was at the CA: what has come is replaced at once.
    const certificate = refusedKeys.has(issued.keyHash) ? { ...issued, renewAtMs: issued.issuedAtMs } : issued;
    // What was held is counted by `changes` from now on.
    const { placement: _ended, ...ended } = order;
    // Only an order that has not gone out can take another key: one that comes back with a certificate cannot have.
    if (!orders.save(ended)) throw new LanyardError('store-failed', { message: `order ${order.id} has another key` });
    const former = certificates.newestOf(order.deviceId);
    if (!certificates.put(order, certificate)) return;
    budget.apply(changes);
    if (former && former.issuedAtMs > certificate.issuedAtMs) return certificates.supersede(certificate.fingerprint);
    // Only the newest chain is handed out and only the newest request renewed: the rest is nine tenths of a row.
    certificates.putChain(certificate);
    if (!former) return;
    certificates.supersede(former.fingerprint);
    orders.forgetRequest(former.orderId);
  };
}
