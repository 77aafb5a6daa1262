/** The appliance store's operations on an open database. Each runs inside a transaction that its caller opened. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { ApplianceStore, NewAppliance } from '../fleet/appliance-store.ts';
import type { Appliance, LastHello } from '../fleet/appliance.ts';
import { addressTable } from './address-table.ts';
import { applianceFrom } from './appliance-row.ts';
import { rowLimit } from './row-limit.ts';
import type { Synchronous } from './synchronous.ts';

export function applianceStatements(database: DatabaseSync): Synchronous<ApplianceStore> {
  const appliances = applianceTable(database);
  const addresses = addressTable(database);
  return {
    enrol(appliance) {
      const known = appliances.find(appliance.deviceId);
      if (known) {
        const isSameKey = known.identityKeyHash === appliance.identityKeyHash;
        return isSameKey ? { kind: 'known', appliance: known } : { kind: 'other-key' };
      }
      if (!appliances.bindLabel(appliance)) return { kind: 'label-taken' };
      appliances.insert(appliance);
      return { kind: 'enrolled', appliance: { ...appliance, published: [] } };
    },
    find: (deviceId) => appliances.find(deviceId),
    list: ({ after, limit }) => appliances.list(after ?? '', rowLimit(limit)),
    count: () => appliances.count(),
    recordHello(deviceId, hello, published) {
      if (!appliances.noteHello(deviceId, hello))
        throw new LanyardError('appliance-unknown', { details: { deviceId } });
      addresses.publish(deviceId, published, hello.atMs);
    },
    setStatus: (deviceId, status, nowMs) => appliances.setStatus(deviceId, status, nowMs),
    addressHistory: (deviceId, limit) => addresses.history(deviceId, rowLimit(limit)),
  };
}

/** What a name points at now is read from the periods without an end. */
const PUBLISHED = 'SELECT address FROM address_periods WHERE device_id = ? AND until_ms IS NULL ORDER BY position';
const SELECT = `
  SELECT device_id, zone, label, identity_key_hash, status, enrolled_at_ms, last_hello FROM appliances`;

function applianceTable(database: DatabaseSync) {
  const published = database.prepare(PUBLISHED);
  const withAddresses = (row: Record<string, unknown>): Appliance =>
    applianceFrom(row, published.all(String(row['device_id'])));
  const find = database.prepare(`${SELECT} WHERE device_id = ?`);
  const list = database.prepare(`${SELECT} WHERE device_id > ? ORDER BY device_id LIMIT ?`);
  const count = database.prepare('SELECT count(*) AS n FROM appliances');
  const bindLabel = database.prepare(
    'INSERT INTO labels (label, device_id, bound_at_ms) VALUES (?, ?, ?) ON CONFLICT (label) DO NOTHING',
  );
  const insert = database.prepare(`
    INSERT INTO appliances (device_id, zone, label, identity_key_hash, status, status_since_ms, enrolled_at_ms)
    VALUES (:deviceId, :zone, :label, :identityKeyHash, :status, :enrolledAtMs, :enrolledAtMs)`);
  const noteHello = database.prepare('UPDATE appliances SET last_hello = ? WHERE device_id = ?');
  const setStatus = database.prepare(`
    UPDATE appliances SET status_since_ms = iif(status = :status, status_since_ms, :nowMs), status = :status
    WHERE device_id = :deviceId`);
  return {
    find(deviceId: string): Appliance | undefined {
      const row = find.get(deviceId);
      return row && withAddresses(row);
    },
    list: (after: string, limit: number): readonly Appliance[] => list.all(after, limit).map(withAddresses),
    count: (): number => Number(count.get()?.['n']),
    /** False when the label is or was another appliance's. */
    bindLabel: ({ label, deviceId, enrolledAtMs }: NewAppliance): boolean =>
      bindLabel.run(label, deviceId, enrolledAtMs).changes === 1,
    insert({ deviceId, zone, label, identityKeyHash, status, enrolledAtMs }: NewAppliance): void {
      insert.run({ deviceId, zone, label, identityKeyHash, status, enrolledAtMs });
    },
    noteHello: (deviceId: string, hello: LastHello): boolean =>
      noteHello.run(JSON.stringify(hello), deviceId).changes === 1,
    setStatus: (deviceId: string, status: Appliance['status'], nowMs: number): boolean =>
      setStatus.run({ deviceId, status, nowMs }).changes === 1,
  };
}
