/** The table of keys that are refused. */
import type { DatabaseSync } from 'node:sqlite';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { RefusedKey, RefusedKeyStore } from '../certificates/refused-keys.ts';
import { rowLimit } from './row-limit.ts';
import type { Synchronous } from './synchronous.ts';

export interface RefusedKeyTable extends Synchronous<RefusedKeyStore> {
  /** The key of a certificate that was revoked. */
  addOf(fingerprint: string, reason: RefusedKey['reason'], sinceMs: number): void;
}

export function refusedKeyTable(database: DatabaseSync): RefusedKeyTable {
  const add = database.prepare(
    'INSERT INTO refused_keys (key_hash, reason, since_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const addOf = database.prepare(`
    INSERT INTO refused_keys (key_hash, reason, since_ms)
    SELECT key_hash, ?, ? FROM certificates WHERE fingerprint = ? ON CONFLICT DO NOTHING`);
  const has = database.prepare('SELECT 1 FROM refused_keys WHERE key_hash = ?');
  const list = database.prepare('SELECT * FROM refused_keys WHERE key_hash > ? ORDER BY key_hash LIMIT ?');
  return {
    add: ({ keyHash, reason, sinceMs }) => add.run(keyHash, reason, sinceMs).changes === 1,
    addOf: (fingerprint, reason, sinceMs) => void addOf.run(reason, sinceMs, fingerprint),
    has: (keyHash) => has.get(keyHash) !== undefined,
    list: ({ after = '', limit }) => list.all(after, rowLimit(limit)).map(refusedKeyFrom),
  };
}

function refusedKeyFrom({ key_hash: keyHash, reason, since_ms: sinceMs }: Record<string, unknown>): RefusedKey {
  const isKnown = reason === 'key-compromise' || reason === 'operator';
  if (typeof keyHash === 'string' && isKnown && typeof sinceMs === 'number') return { keyHash, reason, sinceMs };
  throw new LanyardError('store-failed', { message: 'a refused key in the database cannot be read' });
}
