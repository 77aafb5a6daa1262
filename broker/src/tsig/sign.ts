/** Signs messages with a shared key (RFC 8945 §5): requests, answers, and answers of many messages. */
import { macOf, type TsigKey } from './tsig-key.ts';
import { appendTsig, shorts, timeBytes, type TsigRecord } from './tsig-record.ts';
import { writeName } from './wire-name.ts';

/** RFC 8945 §10: how far two clocks may be apart. */
export const FUDGE_SECONDS = 300;

/** RFC 8945 §3. */
export const TSIG_ERROR = { NOERROR: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

export interface Signed {
  readonly message: Buffer;
  /** What the answer to this message, or the next message of this answer, is bound to. */
  readonly mac: Uint8Array;
}

export interface SignOptions {
  readonly key: TsigKey;
  readonly nowMs: number;
  /** The MAC of the request that this answers. */
  readonly requestMac?: Uint8Array;
}

/** Signs a request, or an answer of one message. */
export function sign(message: Buffer, { key, nowMs, requestMac }: SignOptions): Signed {
  const record = blankRecord(message, key, nowMs);
  const mac = macOf(key, [...priorMac(requestMac), message, variablesOf(record)]);
  return { message: appendTsig(message, { ...record, mac }), mac };
}

/**
 * Signs the messages of one answer in a row (RFC 8945 §5.3.1): the first is bound to the request, each later one to
 * the one before. Every message is signed, so that a receiver notices at once when one is missing.
 */
export function signInRow(options: Omit<SignOptions, 'nowMs'>): (message: Buffer, nowMs: number) => Buffer {
  const { key, requestMac } = options;
  let before: Uint8Array | undefined;
  return (message, nowMs) => {
    if (before === undefined) {
      const first = sign(message, { key, nowMs, ...(requestMac && { requestMac }) });
      before = first.mac;
      return first.message;
    }
    const record = blankRecord(message, key, nowMs);
    const mac = macOf(key, [...priorMac(before), message, timeBytes(record)]);
    before = mac;
    return appendTsig(message, { ...record, mac });
  };
}

/** An answer that says that the request's signature did not do. Signed only when the key is shared and the MAC was right. */
export function signError(
  message: Buffer,
  failure: { readonly request: TsigRecord; readonly error: number; readonly key?: TsigKey; readonly nowMs: number },
): Buffer {
  const { request, error, key, nowMs } = failure;
  const record: TsigRecord = {
    keyName: request.keyName,
    algorithm: request.algorithm,
    timeSeconds: request.timeSeconds,
    fudgeSeconds: FUDGE_SECONDS,
    mac: new Uint8Array(),
    originalId: message.readUInt16BE(0),
    error,
    // RFC 8945 §5.2.3: the client's time comes back, and ours stands beside it.
    other: error === TSIG_ERROR.BADTIME ? new Uint8Array(serverTime(nowMs)) : new Uint8Array(),
  };
  if (key === undefined) return appendTsig(message, record);
  const mac = macOf(key, [...priorMac(request.mac), message, variablesOf(record)]);
  return appendTsig(message, { ...record, mac });
}

/** RFC 8945 §4.3.3: what of the record itself the MAC covers. */
export function variablesOf(record: TsigRecord): Buffer {
  return Buffer.concat([
    writeName(record.keyName),
    // Class ANY and TTL 0.
    shorts(255, 0, 0),
    writeName(record.algorithm),
    timeBytes(record),
    shorts(record.error, record.other.length),
    record.other,
  ]);
}

/** RFC 8945 §4.3.1: with its length in front. */
export function priorMac(mac: Uint8Array | undefined): readonly Uint8Array[] {
  return mac === undefined ? [] : [shorts(mac.length), mac];
}

function blankRecord(message: Buffer, key: TsigKey, nowMs: number): TsigRecord {
  return {
    keyName: key.name,
    algorithm: key.algorithm,
    timeSeconds: Math.floor(nowMs / 1000),
    fudgeSeconds: FUDGE_SECONDS,
    mac: new Uint8Array(),
    originalId: message.readUInt16BE(0),
    error: TSIG_ERROR.NOERROR,
    other: new Uint8Array(),
  };
}

function serverTime(nowMs: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(Math.floor(nowMs / 1000), 0, 6);
  return bytes;
}
