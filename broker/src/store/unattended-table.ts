/** Certificates by when the broker renews them in their appliances' absence; most are renewed before. */
import type { DatabaseSync } from 'node:sqlite';
import type { StoredCertificate } from '../certificates/stored-certificate.ts';
import { CERTIFICATE_COLUMNS } from './certificate-table.ts';
import { certificateFrom } from './order-row.ts';

export interface UnattendedTable {
  /** The most overdue first. */
  due(nowMs: number, limit: number): readonly StoredCertificate[];
  nextMs(): number | undefined;
  remove(fingerprint: string): void;
}

export function unattendedTable(database: DatabaseSync): UnattendedTable {
  const due = database.prepare(`
    SELECT ${CERTIFICATE_COLUMNS} FROM certificates WHERE unattended_at_ms <= ?
    ORDER BY unattended_at_ms, id LIMIT ?`);
  const next = database.prepare(
    'SELECT unattended_at_ms FROM certificates WHERE unattended_at_ms IS NOT NULL ORDER BY unattended_at_ms LIMIT 1',
  );
  const remove = database.prepare('UPDATE certificates SET unattended_at_ms = NULL WHERE fingerprint = ?');
  return {
    due: (nowMs, limit) => due.all(nowMs, limit).map(certificateFrom),
    nextMs() {
      const dueMs = next.get()?.['unattended_at_ms'];
      return typeof dueMs === 'number' ? dueMs : undefined;
    },
    remove: (fingerprint) => void remove.run(fingerprint),
  };
}
