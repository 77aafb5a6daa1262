/** The table of certificates that nobody here asked for. */
import type { DatabaseSync } from 'node:sqlite';
import type { ForeignStore } from '../certificates/foreign/foreign-store.ts';
import { foreignCertificateFrom, namesFromRows } from './foreign-row.ts';
import type { Synchronous } from './synchronous.ts';

const COLUMNS = `fingerprint, names, serial, issuer, key_hash, not_before_ms, not_after_ms, seen_at_ms`;

export function foreignTable(database: DatabaseSync): Synchronous<ForeignStore> {
  const namesOfKey = database.prepare(`
    SELECT names FROM orders WHERE device_id = (SELECT device_id FROM keys WHERE key_hash = :keyHash) AND kind <> 'issued'
    UNION ALL
    SELECT names FROM (
      SELECT names FROM certificates WHERE device_id = (SELECT device_id FROM keys WHERE key_hash = :keyHash)
      ORDER BY issued_at_ms DESC, id DESC LIMIT 1)`);
  const list = database.prepare(`
    SELECT ${COLUMNS}, settled_at_ms FROM foreign_certificates
    ORDER BY settled_at_ms IS NOT NULL, seen_at_ms DESC, id DESC`);
  const settle = database.prepare(
    'UPDATE foreign_certificates SET settled_at_ms = ifnull(settled_at_ms, ?) WHERE fingerprint = ?',
  );
  const countUnsettled = database.prepare('SELECT count(*) AS n FROM foreign_certificates WHERE settled_at_ms IS NULL');
  return {
    namesOfKey: (keyHash) => namesFromRows(namesOfKey.all({ keyHash })),
    note: noteIn(database),
    list: () => list.all().map(foreignCertificateFrom),
    settle: (fingerprint, nowMs) => settle.run(nowMs, fingerprint).changes === 1,
    countUnsettled: () => Number(countUnsettled.get()?.['n']),
  };
}

function noteIn(database: DatabaseSync): Synchronous<ForeignStore>['note'] {
  const known = database.prepare(`
    SELECT 1 FROM foreign_certificates
    WHERE fingerprint = :fingerprint OR (issuer = :issuer AND serial = :serial AND key_hash = :keyHash)`);
  const count = database.prepare('SELECT count(*) AS n FROM foreign_certificates');
  const forget = database.prepare(`
    DELETE FROM foreign_certificates WHERE id = (
      SELECT id FROM foreign_certificates WHERE settled_at_ms IS NOT NULL ORDER BY settled_at_ms, id LIMIT 1)`);
  const insert = database.prepare(`
    INSERT INTO foreign_certificates (${COLUMNS})
    VALUES (:fingerprint, :names, :serial, :issuer, :keyHash, :notBeforeMs, :notAfterMs, :seenAtMs)`);
  return (certificate, seenAtMs, most) => {
    const { fingerprint, serial, issuer, keyHash, notBeforeMs, notAfterMs } = certificate;
    if (known.get({ fingerprint, issuer, serial, keyHash }) !== undefined) return 'known';
    const hasRoom = Number(count.get()?.['n']) < most || forget.run().changes === 1;
    if (!hasRoom) return 'full';
    const names = JSON.stringify(certificate.names);
    insert.run({ fingerprint, names, serial, issuer, keyHash, notBeforeMs, notAfterMs, seenAtMs });
    return 'new';
  };
}
