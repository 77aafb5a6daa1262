/** The table of certificates: the whole history, the newest of an appliance found at once. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Order } from '../certificates/order.ts';
import type { StoredCertificate } from '../certificates/stored-certificate.ts';
import { certificateFrom } from './order-row.ts';

export interface CertificateTable {
  newestOf(deviceId: string): StoredCertificate | undefined;
  /** Adds the certificate to the history; harmless when it is there already. */
  put(order: Order, certificate: StoredCertificate): void;
  noteInstalled(fingerprint: string, nowMs: number): void;
  moveRenewal(fingerprint: string, renewAtMs: number): void;
  /** Forgets the chain: it is public, large, and nobody is given it any more. The facts stay. */
  forgetChain(fingerprint: string): void;
}

const COLUMNS = `fingerprint, device_id, order_id, names, chain, key_hash, serial,
  not_before_ms, not_after_ms, issued_at_ms, renew_at_ms, installed_at_ms`;

export function certificateTable(database: DatabaseSync): CertificateTable {
  const newestOf = database.prepare(
    `SELECT ${COLUMNS} FROM certificates WHERE device_id = ? ORDER BY issued_at_ms DESC, id DESC LIMIT 1`,
  );
  // The harmless update makes a repeat count as written, and one that would steal the row as not written.
  const put = database.prepare(`
    INSERT INTO certificates (${COLUMNS})
    VALUES (:fingerprint, :deviceId, :orderId, :names, :chain, :keyHash, :serial,
      :notBeforeMs, :notAfterMs, :issuedAtMs, :renewAtMs, :installedAtMs)
    ON CONFLICT (fingerprint) DO UPDATE SET order_id = order_id
    WHERE device_id = excluded.device_id AND order_id = excluded.order_id`);
  const noteInstalled = database.prepare(
    'UPDATE certificates SET installed_at_ms = ? WHERE fingerprint = ? AND installed_at_ms IS NULL',
  );
  const moveRenewal = database.prepare('UPDATE certificates SET renew_at_ms = ? WHERE fingerprint = ?');
  const forgetChain = database.prepare("UPDATE certificates SET chain = '' WHERE fingerprint = ?");
  return {
    newestOf(deviceId) {
      const row = newestOf.get(deviceId);
      return row && certificateFrom(row);
    },
    put(order, certificate) {
      const isOfOrder = certificate.orderId === order.id && certificate.deviceId === order.deviceId;
      const { names, installedAtMs = null, ...columns } = certificate;
      const row = { ...columns, names: JSON.stringify(names), installedAtMs };
      if (!isOfOrder || put.run(row).changes !== 1) throw conflict(order, certificate);
    },
    noteInstalled: (fingerprint, nowMs) => void noteInstalled.run(nowMs, fingerprint),
    moveRenewal: (fingerprint, renewAtMs) => void moveRenewal.run(renewAtMs, fingerprint),
    forgetChain: (fingerprint) => void forgetChain.run(fingerprint),
  };
}

function conflict(order: Order, certificate: StoredCertificate): LanyardError {
  const message = `certificate ${certificate.fingerprint} does not belong to order ${order.id}`;
  return new LanyardError('store-failed', { message, details: { order: order.id, deviceId: order.deviceId } });
}
