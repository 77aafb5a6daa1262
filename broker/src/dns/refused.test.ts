/** What is not for this server to answer. */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { exampleSnapshot, exampleZone } from './example-zone.ts';
import { RCODE, TYPE } from './wire.ts';

const bareRefusal = { isAuthoritative: false, answers: [], authorities: [], additionals: [] };

describe('refused', () => {
  test.each(['example.org', 'com', '', 'example.com', 'xdevices.example.com', 'devices.example.com.evil.org'])(
    '"%s" is outside every zone: refused, without a referral',
    (name) => {
      expect(ask(buildQuery(name, TYPE.A))).toMatchObject({ ...bareRefusal, rcode: RCODE.REFUSED });
    },
  );

  test('any class but IN, as in "version.bind CH TXT"', () => {
    expect(ask(buildQuery('version.bind', TYPE.TXT, { class: 3 })).rcode).toBe(RCODE.REFUSED);
    for (const other of [3, 254, 255]) {
      const reply = ask(buildQuery('alpha.devices.example.com', TYPE.A, { class: other }));
      expect(reply).toMatchObject({ ...bareRefusal, rcode: RCODE.REFUSED });
    }
  });

  test('a zone transfer, which would be an inventory of the fleet', () => {
    for (const type of [TYPE.AXFR, TYPE.IXFR]) {
      expect(ask(buildQuery('devices.example.com', type), [exampleZone()], 'tcp').rcode).toBe(RCODE.REFUSED);
    }
  });

  test('an operation other than a query is not implemented', () => {
    for (const opcode of [1, 2, 4, 5, 15]) {
      const reply = ask(buildQuery('devices.example.com', TYPE.SOA, { flags: opcode << 11 }));
      expect(reply).toMatchObject({ ...bareRefusal, rcode: RCODE.NOTIMP });
      expect((reply.bytes.readUInt8(2) >>> 3) & 0x0f).toBe(opcode);
    }
  });

  test('with no zone at all everything is refused', () => {
    expect(ask(buildQuery('alpha.devices.example.com', TYPE.A), []).rcode).toBe(RCODE.REFUSED);
  });
});

describe('several zones', () => {
  const inner = exampleZone({ apex: 'alpha.devices.example.com', serial: 99, records: [] });
  const outer = exampleZone();

  test('the longest matching zone answers, in whatever order they stand', () => {
    for (const zones of [
      [inner, outer],
      [outer, inner],
    ]) {
      const reply = ask(buildQuery('x.alpha.devices.example.com', TYPE.A), zones);
      expect(reply.authorities).toEqual([expect.stringMatching(/^alpha\.devices\.example\.com SOA .* 99 60$/)]);
      expect(ask(buildQuery('nobody.devices.example.com', TYPE.A), zones).authorities).toEqual([
        expect.stringMatching(/^devices\.example\.com SOA .* 7 60$/),
      ]);
    }
  });

  test('zones do not answer for each other', () => {
    const other = exampleZone({ ...exampleSnapshot, apex: 'other.example', records: [], nameServers: [] });
    expect(ask(buildQuery('alpha.other.example', TYPE.A), [outer, other]).rcode).toBe(RCODE.NXDOMAIN);
  });
});
