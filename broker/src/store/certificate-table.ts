/** The table of certificates: the whole history, the newest of an appliance found at once. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Order } from '../certificates/order.ts';
import type { CertificateWithChain, StoredCertificate } from '../certificates/stored-certificate.ts';
import { certificateFrom } from './order-row.ts';

export interface CertificateTable {
  newestOf(deviceId: string): StoredCertificate | undefined;
  /** Adds the certificate to the history; harmless when it is there already. */
  put(order: Order, certificate: CertificateWithChain): void;
  noteInstalled(fingerprint: string, nowMs: number): void;
  moveRenewal(fingerprint: string, renewAtMs: number): void;
  /** In the place of the appliance's former one, which nobody is given any more. */
  putChain(certificate: CertificateWithChain): void;
  chainOf(deviceId: string, fingerprint: string): string | undefined;
}

const COLUMNS = `fingerprint, device_id, order_id, names, key_hash, serial,
  not_before_ms, not_after_ms, issued_at_ms, renew_at_ms, installed_at_ms`;

export function certificateTable(database: DatabaseSync): CertificateTable {
  const newestOf = database.prepare(
    `SELECT ${COLUMNS} FROM certificates WHERE device_id = ? ORDER BY issued_at_ms DESC, id DESC LIMIT 1`,
  );
  // The harmless update makes a repeat count as written, and one that would steal the row as not written.
  const put = database.prepare(`
    INSERT INTO certificates (${COLUMNS})
    VALUES (:fingerprint, :deviceId, :orderId, :names, :keyHash, :serial,
      :notBeforeMs, :notAfterMs, :issuedAtMs, :renewAtMs, :installedAtMs)
    ON CONFLICT (fingerprint) DO UPDATE SET order_id = order_id
    WHERE device_id = excluded.device_id AND order_id = excluded.order_id`);
  const noteInstalled = database.prepare(
    'UPDATE certificates SET installed_at_ms = ? WHERE fingerprint = ? AND installed_at_ms IS NULL',
  );
  const moveRenewal = database.prepare('UPDATE certificates SET renew_at_ms = ? WHERE fingerprint = ?');
  const putChain = database.prepare(`
    INSERT INTO chains (device_id, fingerprint, chain) VALUES (?, ?, ?)
    ON CONFLICT (device_id) DO UPDATE SET fingerprint = excluded.fingerprint, chain = excluded.chain`);
  const chainOf = database.prepare('SELECT chain FROM chains WHERE device_id = ? AND fingerprint = ?');
  return {
    newestOf(deviceId) {
      const row = newestOf.get(deviceId);
      return row && certificateFrom(row);
    },
    put(order, certificate) {
      const isOfOrder = certificate.orderId === order.id && certificate.deviceId === order.deviceId;
      const { names, installedAtMs = null, chain: _elsewhere, ...columns } = certificate;
      const row = { ...columns, names: JSON.stringify(names), installedAtMs };
      if (!isOfOrder || put.run(row).changes !== 1) throw conflict(order, certificate);
    },
    noteInstalled: (fingerprint, nowMs) => void noteInstalled.run(nowMs, fingerprint),
    moveRenewal: (fingerprint, renewAtMs) => void moveRenewal.run(renewAtMs, fingerprint),
    putChain: ({ deviceId, fingerprint, chain }) => void putChain.run(deviceId, fingerprint, chain),
    chainOf(deviceId, fingerprint) {
      const chain = chainOf.get(deviceId, fingerprint)?.['chain'];
      return typeof chain === 'string' ? chain : undefined;
    },
  };
}

function conflict(order: Order, certificate: StoredCertificate): LanyardError {
  const message = `certificate ${certificate.fingerprint} does not belong to order ${order.id}`;
  return new LanyardError('store-failed', { message, details: { order: order.id, deviceId: order.deviceId } });
}
