/** Checks the signature of a message, request or answer (RFC 8945 §5.2 and §5.3). */
import { timingSafeEqual } from 'node:crypto';
import { priorMac, TSIG_ERROR, variablesOf } from './sign.ts';
import { macOf, type TsigKey } from './tsig-key.ts';
import { findTsig, type TsigRecord } from './tsig-record.ts';

export type Verification =
  | { readonly kind: 'unsigned' }
  /** RFC 8945 §5.2: to be answered with FORMERR. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'good'; readonly key: TsigKey; readonly mac: Uint8Array; readonly error: number }
  /** To be answered with NOTAUTH, and with `signError`, which takes the rest. */
  | { readonly kind: 'bad'; readonly error: number; readonly request: TsigRecord; readonly key?: TsigKey };

export interface VerifyOptions {
  readonly keys: readonly TsigKey[];
  readonly nowMs: number;
  /** The MAC of the request that the message answers. */
  readonly requestMac?: Uint8Array;
}

/** Never throws, whatever the bytes are. */
export function verify(message: Buffer, { keys, nowMs, requestMac }: VerifyOptions): Verification {
  const found = findTsig(message);
  if (found === 'none') return { kind: 'unsigned' };
  if (found === 'malformed') return { kind: 'malformed' };
  const { record, unsigned } = found;
  const key = keys.find(({ name, algorithm }) => name === record.keyName && algorithm === record.algorithm);
  if (key === undefined) return { kind: 'bad', error: TSIG_ERROR.BADKEY, request: record };
  const mac = macOf(key, [...priorMac(requestMac), unsigned, variablesOf(record)]);
  const length = judgeLength(record.mac.length, mac.length);
  if (length === 'malformed') return { kind: 'malformed' };
  if (!timingSafeEqual(mac.subarray(0, record.mac.length), record.mac)) {
    return { kind: 'bad', error: TSIG_ERROR.BADSIG, request: record };
  }
  // RFC 8945 §5.2.3 and §5.2.4: the time is looked at only once it is known who said it, and a short MAC last.
  const skewSeconds = Math.abs(Math.floor(nowMs / 1000) - record.timeSeconds);
  if (skewSeconds > record.fudgeSeconds) return { kind: 'bad', error: TSIG_ERROR.BADTIME, request: record, key };
  if (length === 'short') return { kind: 'bad', error: TSIG_ERROR.BADTRUNC, request: record, key };
  return { kind: 'good', key, mac: record.mac, error: record.error };
}

/** RFC 8945 §5.2.2.1: shorter than half, than ten bytes, or longer than the whole is no MAC; we take whole ones only. */
function judgeLength(actual: number, whole: number): 'malformed' | 'short' | 'whole' {
  if (actual > whole || actual < Math.max(10, whole / 2)) return 'malformed';
  return actual < whole ? 'short' : 'whole';
}
