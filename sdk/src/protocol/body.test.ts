/** Between bytes and bodies: sizes, encodings, versions. */
import { assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBody, encodeBody, toInstant } from './body.ts';
import { LIMITS } from './limits.ts';

test('what was encoded is decoded, with the version in front', () => {
  const payload = encodeBody({ id: 'a', text: 'Grüße' });
  expect(payload.toString()).toBe('{"v":1,"id":"a","text":"Grüße"}');
  expect(decodeBody(payload)).toEqual({ ok: true, value: { v: 1, id: 'a', text: 'Grüße' }, id: 'a' });
});

test('16 KiB are read, one byte more is not', () => {
  expect(decodeBody(padded(LIMITS.bodyBytes))).toMatchObject({ ok: true });
  expect(decodeBody(padded(LIMITS.bodyBytes + 1))).toMatchObject({ ok: false, code: 'too-large' });
});

test.each([
  ['nothing', ''],
  ['no JSON', 'hello'],
  ['half a JSON', '{"v":1'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a text', '"v"'],
  ['a number', '1'],
])('%s is refused', (_, text) => {
  expect(decodeBody(Buffer.from(text))).toMatchObject({ ok: false, code: 'bad-request' });
});

test('bytes that are no UTF-8 are refused, not replaced', () => {
  expect(decodeBody(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toMatchObject({ ok: false, code: 'bad-request' });
  const overlong = Buffer.concat([Buffer.from('{"v":1,"x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]);
  expect(decodeBody(overlong)).toMatchObject({ ok: false, code: 'bad-request' });
});

test.each([undefined, 0, 2, '1', 1.5, null])('version %j is refused, and the id is kept for the answer', (v) => {
  const payload = Buffer.from(JSON.stringify({ v, id: 'request-1' }));
  expect(decodeBody(payload)).toMatchObject({ ok: false, code: 'unsupported-version', id: 'request-1' });
});

test('an id that is too long or no text is not echoed', () => {
  expect(decodeBody(Buffer.from(JSON.stringify({ v: 1, id: 'x'.repeat(65) }))).id).toBeUndefined();
  expect(decodeBody(Buffer.from(JSON.stringify({ v: 1, id: 7 }))).id).toBeUndefined();
});

test('"__proto__" in a body changes nothing but the body', () => {
  const decoded = decodeBody(Buffer.from('{"v":1,"__proto__":{"admin":true}}'));
  expect(decoded).toMatchObject({ ok: true });
  expect(Reflect.get({}, 'admin')).toBeUndefined();
});

test('deep nesting within the limit is an answer, not a crash', () => {
  const deep = Buffer.from(`{"v":1,"x":${'['.repeat(8000)}${']'.repeat(8000)}}`);
  expect(decodeBody(deep)).toMatchObject({ ok: true });
});

test('no bytes whatever make it throw', () => {
  assert(property(uint8Array({ maxLength: 256 }), (bytes) => typeof decodeBody(bytes).ok === 'boolean'));
});

test('times are written in UTC with milliseconds', () => {
  expect(toInstant(0)).toBe('1970-01-01T00:00:00.000Z');
});

function padded(bytes: number): Buffer {
  return Buffer.from(`{"v":1}${' '.repeat(bytes - 7)}`);
}
