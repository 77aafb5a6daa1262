/** The header of every answer: who speaks, and what is copied. */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { TYPE } from './wire.ts';

describe('flags', () => {
  test('an answer from a zone is authoritative and never offers recursion', () => {
    const reply = ask(buildQuery('alpha.devices.example.com', TYPE.A));
    expect(reply).toMatchObject({ isAuthoritative: true, isRecursionAvailable: false, isTruncated: false, id: 4711 });
  });

  test('RD is copied', () => {
    const name = 'alpha.devices.example.com';
    expect(ask(buildQuery(name, TYPE.A, { flags: 0x0100 })).isRecursionDesired).toBe(true);
    expect(ask(buildQuery(name, TYPE.A, { flags: 0 })).isRecursionDesired).toBe(false);
  });

  test('AD, CD, Z, TC and AA of the query are not copied', () => {
    const reply = ask(buildQuery('example.org', TYPE.A, { flags: 0x0600 | 0x0070 }));
    expect(reply.bytes.readUInt16BE(2)).toBe(0x8005);
  });

  test('the id comes back whatever it is', () => {
    for (const id of [0, 1, 0x8000, 0xffff]) expect(ask(buildQuery('x.example', TYPE.A, { id })).id).toBe(id);
  });
});
