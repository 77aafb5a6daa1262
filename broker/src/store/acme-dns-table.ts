/** The table of accounts of the acme-dns API. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { rowLimit } from './row-limit.ts';
import type { Synchronous } from './synchronous.ts';

/** As the acme-dns API needs it; declared here too, because adapters do not know each other. */
export interface AcmeDnsAccountStore {
  /** All of them, in the order in which they were made. */
  list(): Promise<readonly AcmeDnsAccount[]>;
  add(account: AcmeDnsAccount): Promise<void>;
  /** Harmless when there is no such account any more. */
  noteTexts(label: string, texts: readonly string[], atMs: number): Promise<void>;
  remove(label: string): Promise<void>;
}

export interface AcmeDnsAccount {
  readonly label: string;
  readonly username: string;
  readonly passwordHash: string;
  readonly allowFrom: readonly string[];
  readonly createdAtMs: number;
  readonly lastUpdateAtMs?: number;
  readonly texts: readonly string[];
}

export function acmeDnsTable(database: DatabaseSync): Synchronous<AcmeDnsAccountStore> {
  const list = database.prepare('SELECT * FROM acme_dns_accounts ORDER BY created_at_ms, label LIMIT ?');
  const add = database.prepare(`
    INSERT INTO acme_dns_accounts (label, username, password_hash, allow_from, created_at_ms, last_update_at_ms, texts)
    VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const noteTexts = database.prepare('UPDATE acme_dns_accounts SET texts = ?, last_update_at_ms = ? WHERE label = ?');
  const remove = database.prepare('DELETE FROM acme_dns_accounts WHERE label = ?');
  return {
    // The settings allow no more than a question may bring back.
    list: () => list.all(rowLimit(Number.POSITIVE_INFINITY)).map(accountFrom),
    add: (account) => {
      const { label, username, passwordHash, createdAtMs, lastUpdateAtMs = null } = account;
      const [allowFrom, texts] = [JSON.stringify(account.allowFrom), JSON.stringify(account.texts)];
      add.run(label, username, passwordHash, allowFrom, createdAtMs, lastUpdateAtMs, texts);
    },
    noteTexts: (label, texts, atMs) => void noteTexts.run(JSON.stringify(texts), atMs, label),
    remove: (label) => void remove.run(label),
  };
}

const ROW = z.object({
  label: z.string(),
  username: z.string(),
  password_hash: z.string(),
  allow_from: z.string(),
  created_at_ms: z.number(),
  last_update_at_ms: z.number().nullable(),
  texts: z.string(),
});
const TEXTS = z.array(z.string());

/** @throws LanyardError `store-failed` when the row does not hold an account. */
function accountFrom(row: unknown): AcmeDnsAccount {
  try {
    const found = ROW.parse(row);
    return {
      label: found.label,
      username: found.username,
      passwordHash: found.password_hash,
      allowFrom: TEXTS.parse(JSON.parse(found.allow_from)),
      createdAtMs: found.created_at_ms,
      ...(found.last_update_at_ms !== null && { lastUpdateAtMs: found.last_update_at_ms }),
      texts: TEXTS.parse(JSON.parse(found.texts)),
    };
  } catch (cause) {
    throw new LanyardError('store-failed', { message: 'a stored acme-dns account is unreadable', cause });
  }
}
