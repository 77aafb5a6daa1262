/** Names that hold nothing themselves but have names below them (RFC 8020). */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { exampleZone } from './example-zone.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneRecord } from './zone-journal.ts';

const CHALLENGE: ZoneRecord = { owner: '_acme-challenge.a.b.devices.example.com', type: 'TXT', data: 'value' };

describe('empty non-terminals', () => {
  test('a name that only has a challenge below it is "no data", not "no such name"', () => {
    const reply = ask(buildQuery('empty.devices.example.com', TYPE.A));
    expect(reply.rcode).toBe(RCODE.NOERROR);
    expect(reply.answers).toEqual([]);
    expect(reply.authorities).toEqual([expect.stringContaining('devices.example.com SOA 60 ')]);
  });

  test('the same holds for every name in between', () => {
    const zone = exampleZone({ records: [CHALLENGE] });
    for (const name of ['a.b.devices.example.com', 'b.devices.example.com']) {
      expect(ask(buildQuery(name, TYPE.TXT), [zone]).rcode).toBe(RCODE.NOERROR);
    }
  });

  test('ANY at one is "no data" too', () => {
    const reply = ask(buildQuery('empty.devices.example.com', TYPE.ANY));
    expect(reply).toMatchObject({ rcode: RCODE.NOERROR, answers: [] });
    expect(reply.authorities).toHaveLength(1);
  });

  test('they are gone as soon as the last record below them is', () => {
    const zone = exampleZone({ records: [CHALLENGE] });
    const change = { apex: zone.apex, clear: [], add: [], remove: [] };
    zone.apply({ ...change, serial: 8, add: [{ owner: 'b.devices.example.com', type: 'A', data: '10.0.0.1' }] });
    zone.apply({ ...change, serial: 9, remove: [CHALLENGE] });
    expect(ask(buildQuery('a.b.devices.example.com', TYPE.TXT), [zone]).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask(buildQuery('b.devices.example.com', TYPE.A), [zone]).answers).toHaveLength(1);
    zone.apply({ ...change, serial: 10, clear: [{ owner: 'b.devices.example.com', types: ['A', 'AAAA'] }] });
    expect(ask(buildQuery('b.devices.example.com', TYPE.A), [zone]).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask(buildQuery('devices.example.com', TYPE.A), [zone]).rcode).toBe(RCODE.NOERROR);
  });
});
