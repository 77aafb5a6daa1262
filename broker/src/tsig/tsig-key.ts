/** A secret that two name servers share, and the name by which they mean it (RFC 8945). */
import { createHmac } from 'node:crypto';

export interface TsigKey {
  /** Lower case, no trailing dot. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
}

/** RFC 8945 §6: MD5 and SHA-1 are there for those who cannot do better, which all secondaries of today can. */
export const TSIG_ALGORITHMS = ['hmac-sha256', 'hmac-sha512'] as const;

export type TsigAlgorithm = (typeof TSIG_ALGORITHMS)[number];

/** RFC 2104 §3: a key shorter than this is not worth its algorithm. BIND's `tsig-keygen` makes 32 bytes. */
const SHORTEST_SECRET_BYTES = 16;

/** The secret in base64, as `tsig-keygen` and `keymgr` print it; undefined when it is none, or too short. */
export function parseTsigSecret(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return undefined;
  const bytes = new Uint8Array(Buffer.from(trimmed, 'base64'));
  return bytes.length >= SHORTEST_SECRET_BYTES ? bytes : undefined;
}

/** The MAC over `parts` in a row. */
export function macOf({ algorithm, secret }: TsigKey, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac(algorithm === 'hmac-sha256' ? 'sha256' : 'sha512', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
