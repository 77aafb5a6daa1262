/** The table of which addresses an appliance's name pointed at, and when. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { AddressPeriod } from '../fleet/appliance-store.ts';

/** Past periods kept of one appliance: years of a normal one, and a bound on one that changes at every hello. */
const KEPT_PERIODS = 100;

export interface AddressTable {
  /** Makes `addresses` the current ones, in this order. */
  publish(deviceId: string, addresses: readonly string[], nowMs: number): void;
  /** The newest first. */
  history(deviceId: string, limit: number): readonly AddressPeriod[];
}

export function addressTable(database: DatabaseSync): AddressTable {
  const current = database.prepare(
    'SELECT address, position FROM address_periods WHERE device_id = ? AND until_ms IS NULL',
  );
  const close = database.prepare(
    'UPDATE address_periods SET until_ms = ? WHERE device_id = ? AND address = ? AND until_ms IS NULL',
  );
  const open = database.prepare(`
    INSERT INTO address_periods (device_id, address, position, from_ms) VALUES (:deviceId, :address, :position, :nowMs)
    ON CONFLICT (device_id, address) WHERE until_ms IS NULL DO UPDATE SET position = excluded.position`);
  const forgetOldest = database.prepare(`
    DELETE FROM address_periods WHERE id IN (
      SELECT id FROM address_periods WHERE device_id = ? AND until_ms IS NOT NULL
      ORDER BY from_ms DESC, id DESC LIMIT -1 OFFSET ${KEPT_PERIODS})`);
  const history = database.prepare(`
    SELECT address, from_ms, until_ms FROM address_periods WHERE device_id = ?
    ORDER BY from_ms DESC, id DESC LIMIT ?`);
  return {
    publish(deviceId, addresses, nowMs) {
      const wanted = [...new Set(addresses)];
      const positions = new Map(CURRENT_ROWS.parse(current.all(deviceId)).map((row) => [row.address, row.position]));
      const former = [...positions.keys()].filter((address) => !wanted.includes(address));
      for (const address of former) close.run(nowMs, deviceId, address);
      for (const [position, address] of wanted.entries()) {
        // Most hellos repeat the last one: they then write no period at all.
        if (positions.get(address) !== position) open.run({ deviceId, address, position, nowMs });
      }
      if (former.length > 0) forgetOldest.run(deviceId);
    },
    history: (deviceId, limit) =>
      PERIOD_ROWS.parse(history.all(deviceId, limit)).map(({ address, from_ms: fromMs, until_ms: untilMs }) => ({
        address,
        fromMs,
        ...(untilMs === null ? {} : { untilMs }),
      })),
  };
}

const CURRENT_ROWS = z.array(z.object({ address: z.string(), position: z.number() }));
const PERIOD_ROWS = z.array(z.object({ address: z.string(), from_ms: z.number(), until_ms: z.number().nullable() }));
