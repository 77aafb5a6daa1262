/** Rows of foreign certificates, read back into what the domain knows: nothing is believed because it is ours. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { ForeignCertificate } from '../certificates/foreign/foreign-store.ts';

/** @throws LanyardError `store-failed` when the row does not hold a foreign certificate. */
export function foreignCertificateFrom(row: unknown): ForeignCertificate {
  return reading(() => {
    const found = ROW.parse(row);
    return {
      fingerprint: found.fingerprint,
      names: NAMES.parse(JSON.parse(found.names)),
      serial: found.serial,
      issuer: found.issuer,
      keyHash: found.key_hash,
      notBeforeMs: found.not_before_ms,
      notAfterMs: found.not_after_ms,
      seenAtMs: found.seen_at_ms,
      ...(found.settled_at_ms === null ? {} : { settledAtMs: found.settled_at_ms }),
    };
  });
}

/** Each name once. @throws LanyardError `store-failed` when the rows do not hold names. */
export function namesFromRows(rows: unknown): readonly string[] {
  return reading(() => [...new Set(NAME_ROWS.parse(rows).flatMap(({ names }) => NAMES.parse(JSON.parse(names))))]);
}

function reading<Row>(read: () => Row): Row {
  try {
    return read();
  } catch (cause) {
    throw new LanyardError('store-failed', { message: 'a stored certificate is unreadable', cause });
  }
}

const NAMES = z.array(z.string());
const NAME_ROWS = z.array(z.object({ names: z.string() }));

const ROW = z.object({
  fingerprint: z.string(),
  names: z.string(),
  serial: z.string(),
  issuer: z.string(),
  key_hash: z.string(),
  not_before_ms: z.number(),
  not_after_ms: z.number(),
  seen_at_ms: z.number(),
  settled_at_ms: z.number().nullable(),
});
