/** The table of certificates: the whole history, the newest of an appliance found at once. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { LookedUp, NotedRenewal } from '../certificates/order-store.ts';
import type { Order } from '../certificates/order.ts';
import type {
  CertificateWithChain,
  RenewalWindow,
  Revocation,
  StoredCertificate,
} from '../certificates/stored-certificate.ts';
import { certificateFrom } from './order-row.ts';

export interface CertificateTable {
  newestOf(deviceId: string): StoredCertificate | undefined;
  /** The same among those that this CA account issued. */
  newestFrom(authority: string, deviceId: string): StoredCertificate | undefined;
  /** Adds the certificate to the history. False, and nothing changed: it is there already. */
  put(order: Order, certificate: CertificateWithChain): boolean;
  noteInstalled(fingerprint: string, nowMs: number): void;
  moveRenewal(fingerprint: string, renewAtMs: number): void;
  noteRevoked(fingerprint: string, revocation: Revocation): void;
  /** @returns how many newest certificates are alive at `fromMs`. */
  replaceAll(fromMs: number, withinMs: number, isDryRun: boolean): number;
  /** The most overdue first. */
  toLookUp(authority: string, nowMs: number, limit: number): readonly StoredCertificate[];
  nextLookUpMs(authority: string): number | undefined;
  /** False when the certificate is not its appliance's newest. One statement. */
  noteRenewal(lookedUp: LookedUp, renewal: NotedRenewal): boolean;
  /** A newer one has come, or is there already: nobody asks for this one's renewal any more. */
  supersede(fingerprint: string): void;
  /** In the place of the appliance's former one, which nobody is given any more. */
  putChain(certificate: CertificateWithChain): void;
  chainOf(deviceId: string, fingerprint: string): string | undefined;
}

export const CERTIFICATE_COLUMNS = `fingerprint, device_id, order_id, names, key_hash, serial,
  not_before_ms, not_after_ms, issued_at_ms, authority, renewal_id, window_start_ms, window_end_ms,
  explanation_url, renew_at_ms, look_up_at_ms, unattended_at_ms, asleep_since_ms, revocation, installed_at_ms`;
/** When it is renewed unattended moves along (`unattendedAt`); what is never renewed so stays that way. */
const unattendedFor = (renewAt: string): string =>
  `unattended_at_ms = iif(unattended_at_ms IS NULL, NULL, (${renewAt} + not_after_ms) / 2)`;
const NEWEST_FIRST = 'ORDER BY issued_at_ms DESC, id DESC LIMIT 1';

export function certificateTable(database: DatabaseSync): CertificateTable {
  const newestOf = database.prepare(
    `SELECT ${CERTIFICATE_COLUMNS} FROM certificates WHERE device_id = ? ${NEWEST_FIRST}`,
  );
  const newestFrom = database.prepare(
    `SELECT ${CERTIFICATE_COLUMNS} FROM certificates WHERE device_id = ? AND authority = ? ${NEWEST_FIRST}`,
  );
  const put = database.prepare(`
    INSERT INTO certificates (${CERTIFICATE_COLUMNS})
    VALUES (:fingerprint, :deviceId, :orderId, :names, :keyHash, :serial,
      :notBeforeMs, :notAfterMs, :issuedAtMs, :authority, :renewalId, :windowStartMs, :windowEndMs,
      :explanationUrl, :renewAtMs, :lookUpAtMs, :unattendedAtMs, :asleepSinceMs, :revocation, :installedAtMs)
    ON CONFLICT (fingerprint) DO NOTHING`);
  const isOf = database.prepare('SELECT 1 FROM certificates WHERE fingerprint = ? AND device_id = ? AND order_id = ?');
  const noteInstalled = database.prepare(
    'UPDATE certificates SET installed_at_ms = ? WHERE fingerprint = ? AND installed_at_ms IS NULL',
  );
  const moveRenewal = database.prepare(
    `UPDATE certificates SET renew_at_ms = ?1, ${unattendedFor('?1')} WHERE fingerprint = ?2`,
  );
  return {
    newestOf(deviceId) {
      const row = newestOf.get(deviceId);
      return row && certificateFrom(row);
    },
    newestFrom(authority, deviceId) {
      const row = newestFrom.get(deviceId, authority);
      return row && certificateFrom(row);
    },
    put(order, certificate) {
      const { fingerprint, deviceId, orderId } = certificate;
      if (orderId !== order.id || deviceId !== order.deviceId) throw conflict(order, certificate);
      if (put.run(rowOf(certificate)).changes === 1) return true;
      // The certificate of another order is not taken over.
      if (isOf.get(fingerprint, deviceId, orderId) === undefined) throw conflict(order, certificate);
      return false;
    },
    noteInstalled: (fingerprint, nowMs) => void noteInstalled.run(nowMs, fingerprint),
    moveRenewal: (fingerprint, renewAtMs) => void moveRenewal.run(renewAtMs, fingerprint),
    ...replacementsIn(database),
    ...lookUpsIn(database),
    ...chainsIn(database),
  };
}

function replacementsIn(database: DatabaseSync): Pick<CertificateTable, 'noteRevoked' | 'replaceAll'> {
  const note = database.prepare(`
    UPDATE certificates SET revocation = :revocation, renew_at_ms = min(renew_at_ms, :atMs), look_up_at_ms = NULL,
      unattended_at_ms = NULL
    WHERE fingerprint = :fingerprint`);
  const alive = `not_after_ms > :fromMs AND NOT EXISTS (
    SELECT 1 FROM certificates AS newer WHERE newer.device_id = certificates.device_id
      AND (newer.issued_at_ms, newer.id) > (certificates.issued_at_ms, certificates.id))`;
  const count = database.prepare(`SELECT count(*) AS n FROM certificates WHERE ${alive}`);
  // Knuth's multiplicative hash spreads row numbers evenly, and the same way every time.
  const spreadMs = 'min(renew_at_ms, :fromMs + :withinMs * ((id * 2654435761) & 4294967295) / 4294967296.0)';
  const spread = database.prepare(
    `UPDATE certificates SET renew_at_ms = ${spreadMs}, ${unattendedFor(spreadMs)} WHERE ${alive}`,
  );
  return {
    noteRevoked: (fingerprint, revocation) =>
      void note.run({ fingerprint, revocation: JSON.stringify(revocation), atMs: revocation.atMs }),
    replaceAll: (fromMs, withinMs, isDryRun) =>
      isDryRun ? Number(count.get({ fromMs })?.['n']) : Number(spread.run({ fromMs, withinMs }).changes),
  };
}

type LookUps = Pick<CertificateTable, 'toLookUp' | 'nextLookUpMs' | 'noteRenewal' | 'supersede'>;

function lookUpsIn(database: DatabaseSync): LookUps {
  const toLookUp = database.prepare(
    `SELECT ${CERTIFICATE_COLUMNS} FROM certificates WHERE authority = ? AND look_up_at_ms <= ? ORDER BY look_up_at_ms, id LIMIT ?`,
  );
  const next = database.prepare(`
    SELECT look_up_at_ms FROM certificates WHERE authority = ? AND look_up_at_ms IS NOT NULL
    ORDER BY look_up_at_ms LIMIT 1`);
  const movedMs = 'iif(renew_at_ms = :seenMs, :renewAtMs, renew_at_ms)';
  const note = database.prepare(`
    UPDATE certificates SET renew_at_ms = ${movedMs}, ${unattendedFor(movedMs)},
      window_start_ms = :windowStartMs, window_end_ms = :windowEndMs,
      explanation_url = :explanationUrl, look_up_at_ms = :lookUpAtMs
    WHERE fingerprint = :fingerprint AND id = (
      SELECT newest.id FROM certificates AS newest WHERE newest.device_id = certificates.device_id ${NEWEST_FIRST})`);
  const supersede = database.prepare(
    'UPDATE certificates SET look_up_at_ms = NULL, unattended_at_ms = NULL WHERE fingerprint = ?',
  );
  return {
    toLookUp: (authority, nowMs, limit) => toLookUp.all(authority, nowMs, limit).map(certificateFrom),
    nextLookUpMs(authority) {
      const dueMs = next.get(authority)?.['look_up_at_ms'];
      return typeof dueMs === 'number' ? dueMs : undefined;
    },
    noteRenewal: (
      { fingerprint, renewAtMs: seenMs },
      { renewAtMs, window, explanationUrl = null, lookUpAtMs = null },
    ) => note.run({ fingerprint, seenMs, renewAtMs, ...boundsOf(window), explanationUrl, lookUpAtMs }).changes === 1,
    supersede: (fingerprint) => void supersede.run(fingerprint),
  };
}

function chainsIn(database: DatabaseSync): Pick<CertificateTable, 'putChain' | 'chainOf'> {
  const putChain = database.prepare(`
    INSERT INTO chains (device_id, fingerprint, chain) VALUES (?, ?, ?)
    ON CONFLICT (device_id) DO UPDATE SET fingerprint = excluded.fingerprint, chain = excluded.chain`);
  const chainOf = database.prepare('SELECT chain FROM chains WHERE device_id = ? AND fingerprint = ?');
  return {
    putChain: ({ deviceId, fingerprint, chain }) => void putChain.run(deviceId, fingerprint, chain),
    chainOf(deviceId, fingerprint) {
      const chain = chainOf.get(deviceId, fingerprint)?.['chain'];
      return typeof chain === 'string' ? chain : undefined;
    },
  };
}

function rowOf({ names, window, chain: _elsewhere, ...columns }: CertificateWithChain) {
  const { renewalId = null, explanationUrl = null, lookUpAtMs = null, installedAtMs = null } = columns;
  const { unattendedAtMs = null, asleepSinceMs = null } = columns;
  const revocation = columns.revocation ? JSON.stringify(columns.revocation) : null;
  const optional = { renewalId, explanationUrl, lookUpAtMs, unattendedAtMs, asleepSinceMs, revocation, installedAtMs };
  return { ...columns, ...optional, ...boundsOf(window), names: JSON.stringify(names) };
}

function boundsOf(window: RenewalWindow | undefined) {
  return { windowStartMs: window?.startMs ?? null, windowEndMs: window?.endMs ?? null };
}

function conflict(order: Order, certificate: StoredCertificate): LanyardError {
  const message = `certificate ${certificate.fingerprint} does not belong to order ${order.id}`;
  return new LanyardError('store-failed', { message, details: { order: order.id, deviceId: order.deviceId } });
}
