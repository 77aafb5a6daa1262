import { describe, expect, test } from 'vitest';
import { KEY_NAME, SECRET, SIGNED_AT_MS, VECTORS } from './example-vectors.ts';
import { sign, signError, signInRow, TSIG_ERROR } from './sign.ts';
import { parseTsigSecret, TSIG_ALGORITHMS, type TsigAlgorithm, type TsigKey } from './tsig-key.ts';
import { findTsig, tsigBytes } from './tsig-record.ts';
import { verify } from './verify.ts';

const nowMs = SIGNED_AT_MS;
const MINUTE_MS = 60_000;

function keyOf(algorithm: TsigAlgorithm, name = KEY_NAME): TsigKey {
  const secret = parseTsigSecret(SECRET);
  if (secret === undefined) throw new Error('no secret');
  return { name, algorithm, secret };
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function unsignedOf(hex: string): Buffer {
  const found = findTsig(bytes(hex));
  if (typeof found === 'string') throw new Error(found);
  return found.unsigned;
}

describe.each(VECTORS)('what dnspython signs with $algorithm', ({ algorithm, query, answer, inRow }) => {
  const key = keyOf(algorithm);
  const keys = [key];
  const { mac: requestMac } = sign(unsignedOf(query), { key, nowMs });

  test('verifies, request and answer', () => {
    expect(verify(bytes(query), { keys, nowMs })).toMatchObject({ kind: 'good', key });
    expect(verify(bytes(answer), { keys, nowMs, requestMac })).toMatchObject({ kind: 'good', key });
  });

  test('is what we sign, byte by byte, but for the letter case of the key’s name', () => {
    expect(sign(unsignedOf(query), { key, nowMs }).message.toString('hex')).toBe(query);
    const macOfOurs = macIn(sign(unsignedOf(answer), { key, nowMs, requestMac }).message);
    expect(macOfOurs).toBe(macIn(bytes(answer)));
  });

  test('is what we sign as many messages in a row', () => {
    const next = signInRow({ key, requestMac });
    const ours = inRow.map((message) => macIn(next(unsignedOf(message), nowMs)));
    expect(ours).toEqual(inRow.map((message) => macIn(bytes(message))));
  });

  test('takes the bytes that are said beforehand, at most', () => {
    const { message, mac } = sign(unsignedOf(query), { key, nowMs });
    const added = message.length - unsignedOf(query).length;
    expect(tsigBytes(key.name, key.algorithm, mac.length)).toBeGreaterThanOrEqual(added);
  });
});

describe('a signature does not do', () => {
  const key = keyOf('hmac-sha256');
  const [vector] = VECTORS;
  const query = bytes(vector!.query);
  const check = (message: Buffer, keys = [key], atMs = nowMs) => verify(message, { keys, nowMs: atMs });

  test('when any byte of the message is another', () => {
    for (let at = 0; at < query.length; at++) {
      const changed = Buffer.from(query);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x01, at);
      // The id may change on the way (a forwarder's); what was signed is the original (RFC 8945 §5.4).
      const isId = at < 2;
      // Letters of the key's name have no case, but 0x01 changes more than the case.
      expect(check(changed).kind === 'good', `byte ${at}`).toBe(isId);
    }
  });

  test('under another name, another algorithm or another secret', () => {
    expect(check(query, [])).toMatchObject({ kind: 'bad', error: TSIG_ERROR.BADKEY });
    expect(check(query, [keyOf('hmac-sha256', 'other')])).toMatchObject({ kind: 'bad', error: TSIG_ERROR.BADKEY });
    expect(check(query, [keyOf('hmac-sha512')])).toMatchObject({ kind: 'bad', error: TSIG_ERROR.BADKEY });
    const other = { ...key, secret: key.secret.map((byte) => byte ^ 1) };
    const judged = check(query, [other]);
    expect(judged).toMatchObject({ kind: 'bad', error: TSIG_ERROR.BADSIG });
    // Nothing may be signed for somebody who does not have the key.
    expect(judged).not.toHaveProperty('key');
  });

  test.each([
    [5 * MINUTE_MS, 'good'],
    [5 * MINUTE_MS + 1000, 'bad'],
    [-5 * MINUTE_MS, 'good'],
    [-5 * MINUTE_MS - 1000, 'bad'],
  ])('%d ms away: %s', (awayMs, kind) => {
    expect(check(query, [key], nowMs + awayMs).kind).toBe(kind);
  });

  test('when its MAC is cut', () => {
    expect(check(cutMac(query, 16))).toMatchObject({ kind: 'bad', error: TSIG_ERROR.BADTRUNC });
    expect(check(cutMac(query, 15)).kind).toBe('malformed');
  });

  test('when it does not stand last', () => {
    const behind = Buffer.concat([query, Buffer.from('0000290000000000000000', 'hex')]);
    behind.writeUInt16BE(2, 10);
    expect(check(behind).kind).toBe('malformed');
  });

  test('whatever is cut off the message', () => {
    for (let length = 0; length < query.length; length++) {
      expect(['malformed', 'bad']).toContain(check(query.subarray(0, length)).kind);
    }
  });
});

test('a message without a signature is told apart', () => {
  expect(verify(unsignedOf(VECTORS[0]!.query), { keys: [keyOf('hmac-sha256')], nowMs })).toEqual({ kind: 'unsigned' });
});

test('a clock that is wrong is told ours, signed, so that the client can believe it', () => {
  const key = keyOf('hmac-sha256');
  const laterMs = nowMs + 10 * MINUTE_MS;
  const query = bytes(VECTORS[0]!.query);
  const judged = verify(query, { keys: [key], nowMs: laterMs });
  if (judged.kind !== 'bad') throw new Error(judged.kind);
  const answer = signError(unsignedOf(VECTORS[0]!.answer), { ...judged, nowMs: laterMs });
  const { mac: requestMac } = sign(unsignedOf(VECTORS[0]!.query), { key, nowMs });
  expect(verify(answer, { keys: [key], nowMs, requestMac })).toMatchObject({
    kind: 'good',
    error: TSIG_ERROR.BADTIME,
  });
  const found = findTsig(answer);
  expect(typeof found === 'object' && Buffer.from(found.record.other).readUIntBE(0, 6)).toBe(laterMs / 1000);
});

test.each([
  [SECRET, true],
  [` ${SECRET}\n`, true],
  ['c2hvcnQ=', false],
  ['not base64 at all, whatever it is', false],
  ['', false],
])('the secret %j is taken: %s', (text, isTaken) => {
  expect(parseTsigSecret(text) !== undefined).toBe(isTaken);
});

test('both algorithms are tried against dnspython', () => {
  expect(VECTORS.map(({ algorithm }) => algorithm)).toEqual([...TSIG_ALGORITHMS]);
});

function macIn(message: Buffer): string {
  const found = findTsig(message);
  if (typeof found === 'string') throw new Error(found);
  return Buffer.from(found.record.mac).toString('hex');
}

/** The same record with only the first bytes of its MAC. */
function cutMac(message: Buffer, length: number): Buffer {
  const whole = 32;
  const macStart = message.length - 6 - whole;
  const cut = Buffer.concat([message.subarray(0, macStart + length), message.subarray(macStart + whole)]);
  cut.writeUInt16BE(length, macStart - 2);
  const dataLength = 'hmac-sha256'.length + 2 + 10 + whole + 6;
  const lengthAt = macStart - 10 - ('hmac-sha256'.length + 2) - 2;
  expect(cut.readUInt16BE(lengthAt)).toBe(dataLength);
  cut.writeUInt16BE(dataLength - whole + length, lengthAt);
  return cut;
}
