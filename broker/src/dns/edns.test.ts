/** Extension mechanisms (RFC 6891): answered when used, harmless when strange. */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery, shorts } from './example-query.ts';
import { RCODE, TYPE } from './wire.ts';

const NAME = 'alpha.devices.example.com';

describe('EDNS', () => {
  test('an OPT record comes back only when one was sent', () => {
    expect(ask(buildQuery(NAME, TYPE.A)).opt).toBeUndefined();
    expect(ask(buildQuery(NAME, TYPE.A, { edns: {} })).opt).toEqual({ udpBytes: 1232, version: 0, flags: 0 });
  });

  test.each([
    ['a negative answer', 'nobody.devices.example.com', TYPE.A],
    ['a refusal', 'example.org', TYPE.A],
    ['a name server set', 'devices.example.com', TYPE.NS],
  ])('%s has it as well', (_, name, type) => {
    expect(ask(buildQuery(name, type, { edns: { udpBytes: 4096 } })).opt?.udpBytes).toBe(1232);
  });

  test('an operation that is not implemented still gets its OPT record', () => {
    expect(ask(buildQuery(NAME, TYPE.A, { flags: 4 << 11, edns: {} })).opt).toBeDefined();
  });

  test('an unknown version is told which one we speak', () => {
    for (const version of [1, 255]) {
      const reply = ask(buildQuery(NAME, TYPE.A, { edns: { version } }));
      expect(reply.rcode).toBe(RCODE.BADVERS);
      expect(reply.opt?.version).toBe(0);
      expect(reply.answers).toEqual([]);
      expect(reply.question).toBe(NAME);
    }
  });

  test('unknown options are ignored: client subnet, cookie, padding, nonsense', () => {
    const options = Buffer.concat([
      shorts(8, 7, 1, 0x1800),
      Buffer.of(10, 1, 1),
      shorts(10, 8, 1, 2, 3, 4),
      shorts(12, 4, 0, 0),
      shorts(65_001, 0),
    ]);
    const reply = ask(buildQuery(NAME, TYPE.A, { edns: { options } }));
    expect(reply.rcode).toBe(RCODE.NOERROR);
    expect(reply.answers).toHaveLength(1);
    expect(reply.bytes.subarray(-2)).toEqual(shorts(0));
  });

  test('of the flags only DO comes back', () => {
    expect(ask(buildQuery(NAME, TYPE.A, { edns: { flags: 0xffff } })).opt?.flags).toBe(0x8000);
    expect(ask(buildQuery(NAME, TYPE.A, { edns: { flags: 0x7fff } })).opt?.flags).toBe(0);
  });
});
