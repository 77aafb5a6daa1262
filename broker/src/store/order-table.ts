/** The tables of orders and of the keys that they carried. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import { isClosed } from '../certificates/order.ts';
import type { Order } from '../certificates/order.ts';
import { orderFrom } from './order-row.ts';

export interface OrderTable {
  openOf(deviceId: string): Order | undefined;
  /** Every open order, oldest first. */
  open(): readonly Order[];
  /** A new order, or a waiting one that takes its appliance's new key. */
  put(order: Order): void;
  /** Stores the new state and placement. False when the stored order is for another key by now, as one is that was re-keyed. */
  save(order: Order): boolean;
  /** The signing request of an order; empty when it was forgotten. */
  requestOf(id: string): Uint8Array | undefined;
  /** Forgets the signing request of a closed order. */
  forgetRequest(id: string): void;
  keyFirstSeenFrom(keyHash: string): string | undefined;
  noteKey(keyHash: string, deviceId: string, nowMs: number): void;
}

const COLUMNS = `id, device_id, names, key_hash, csr, requested_at_ms,
  failures, purpose, asleep_since_ms, placement, last_failure, detours, state`;

export function orderTable(database: DatabaseSync): OrderTable {
  const openOf = database.prepare(`SELECT ${COLUMNS} FROM orders WHERE device_id = ? AND kind <> 'issued'`);
  const open = database.prepare(`SELECT ${COLUMNS} FROM orders WHERE kind <> 'issued' ORDER BY requested_at_ms, id`);
  const put = database.prepare(`
    INSERT INTO orders (${COLUMNS})
    VALUES (:id, :deviceId, :names, :keyHash, :csr, :requestedAtMs,
      :failures, :purpose, :asleepSinceMs, :placement, :lastFailure, :detours, :state)
    ON CONFLICT (id) DO UPDATE SET names = excluded.names, key_hash = excluded.key_hash, csr = excluded.csr,
      requested_at_ms = excluded.requested_at_ms, purpose = excluded.purpose,
      asleep_since_ms = excluded.asleep_since_ms, state = excluded.state
    WHERE device_id = excluded.device_id AND kind = 'waiting'`);
  // A repeat of the last step of a closed order is fine; opening it again is not.
  const matching = "id = ?5 AND device_id = ?6 AND key_hash = ?7 AND (kind <> 'issued' OR state = ?3)";
  // Most steps keep their placement: to write it once more would parse it and move it in its index.
  const step = database.prepare(`
    UPDATE orders SET failures = ?1, last_failure = ?2, state = ?3 WHERE ${matching} AND placement IS ?4 AND detours IS ?8`);
  const save = database.prepare(`
    UPDATE orders SET failures = ?1, last_failure = ?2, state = ?3, placement = ?4, detours = ?8
    WHERE ${matching}`);
  const rekeyed = database.prepare('SELECT 1 FROM orders WHERE id = ? AND device_id = ? AND key_hash <> ?');
  const request = database.prepare('SELECT csr FROM orders WHERE id = ?');
  const forgetRequest = database.prepare("UPDATE orders SET csr = x'' WHERE id = ? AND kind = 'issued'");
  const key = database.prepare('SELECT device_id FROM keys WHERE key_hash = ?');
  const noteKey = database.prepare('INSERT INTO keys (key_hash, device_id, first_seen_ms) VALUES (?, ?, ?)');
  return {
    openOf(deviceId) {
      const row = openOf.get(deviceId);
      return row && orderFrom(row);
    },
    open: () => open.all().map(orderFrom),
    put(order) {
      const names = JSON.stringify(order.names);
      const { csr, requestedAtMs, asleepSinceMs = null } = order;
      const purpose = jsonOf(order.purpose);
      const row = { ...identityOf(order), ...progressOf(order), names, csr, requestedAtMs, purpose, asleepSinceMs };
      if (put.run(row).changes !== 1) throw conflict(order);
    },
    save(order) {
      const { id, deviceId, keyHash } = order;
      const { failures, lastFailure, state, placement, detours } = progressOf(order);
      // The statements that run most, by position: looking up names would take a fifth of their time.
      if (step.run(failures, lastFailure, state, placement, id, deviceId, keyHash, detours).changes === 1) return true;
      if (save.run(failures, lastFailure, state, placement, id, deviceId, keyHash, detours).changes === 1) return true;
      if (rekeyed.get(id, deviceId, keyHash) === undefined) throw conflict(order);
      return false;
    },
    requestOf(id) {
      const csr = request.get(id)?.['csr'];
      return csr instanceof Uint8Array ? csr : undefined;
    },
    forgetRequest: (id) => void forgetRequest.run(id),
    keyFirstSeenFrom(keyHash) {
      const deviceId = key.get(keyHash)?.['device_id'];
      return typeof deviceId === 'string' ? deviceId : undefined;
    },
    noteKey: (keyHash, deviceId, nowMs) => void noteKey.run(keyHash, deviceId, nowMs),
  };
}

function identityOf({ id, deviceId, keyHash }: Order) {
  return { id, deviceId, keyHash };
}

function progressOf(order: Order) {
  const { failures, lastFailure, state, placement, detours } = order;
  return {
    failures,
    lastFailure: jsonOf(lastFailure),
    detours: jsonOf(detours),
    state: JSON.stringify(state),
    // Whoever closes an order and leaves it its placement would hold a place for ever.
    placement: isClosed(order) ? null : jsonOf(placement),
  };
}

function jsonOf(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function conflict(order: Order): LanyardError {
  const message = `order ${order.id} is unknown, closed or of another appliance`;
  return new LanyardError('store-failed', { message, details: { order: order.id, deviceId: order.deviceId } });
}
