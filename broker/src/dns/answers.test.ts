/** What is there is answered: addresses, challenges, the zone's own records. */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { exampleSnapshot, exampleZone } from './example-zone.ts';
import { ServedZone } from './served-zone.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneRecord } from './zone-journal.ts';

describe('answers', () => {
  test('the addresses of an appliance, for a minute', () => {
    const name = 'alpha.devices.example.com';
    expect(ask(buildQuery(name, TYPE.A)).answers).toEqual([`${name} A 60 10.1.1.4`]);
    expect(ask(buildQuery(name, TYPE.AAAA)).answers).toEqual([`${name} AAAA 60 fd00::4`]);
  });

  test('an A answer is sixteen bytes longer than its query', () => {
    const query = buildQuery('alpha.devices.example.com', TYPE.A);
    expect(ask(query).bytes.length).toBe(query.length + 16);
  });

  test('several texts at one owner, as name and wildcard are proved at the same place', () => {
    const owner = '_acme-challenge.alpha.devices.example.com';
    expect(ask(buildQuery(owner, TYPE.TXT)).answers).toEqual([`${owner} TXT 60 first`, `${owner} TXT 60 second`]);
  });

  test('a text longer than one string is cut into several', () => {
    const owner = 'long.devices.example.com';
    for (const length of [0, 1, 254, 255, 256, 510, 511, 1020]) {
      const zone = exampleZone({ records: [{ owner, type: 'TXT', data: 'x'.repeat(length) }] });
      const { answers } = ask(buildQuery(owner, TYPE.TXT), [zone], 'tcp');
      expect(answers).toEqual([`${owner} TXT 60 ${'x'.repeat(length)}`]);
    }
  });

  test('SOA at the apex', () => {
    expect(ask(buildQuery('devices.example.com', TYPE.SOA)).answers).toEqual([
      'devices.example.com SOA 3600 ns1.devices.example.com hostmaster.example.com 7 60',
    ]);
  });

  test('an empty answer at the apex is "no data"', () => {
    expect(ask(buildQuery('devices.example.com', TYPE.A))).toMatchObject({ rcode: RCODE.NOERROR, answers: [] });
  });
});

describe('name servers', () => {
  test('stand at the apex, with the addresses of those inside the zone', () => {
    const reply = ask(buildQuery('devices.example.com', TYPE.NS));
    expect(reply.answers).toEqual([
      'devices.example.com NS 3600 ns.elsewhere.example',
      'devices.example.com NS 3600 ns1.devices.example.com',
      'devices.example.com NS 3600 ns2.devices.example.com',
    ]);
    expect(reply.additionals).toEqual([
      'ns1.devices.example.com A 3600 192.0.2.1',
      'ns1.devices.example.com AAAA 3600 2001:db8::1',
      'ns2.devices.example.com A 3600 198.51.100.1',
    ]);
  });

  test('answer for themselves', () => {
    expect(ask(buildQuery('ns1.devices.example.com', TYPE.A)).answers).toEqual([
      'ns1.devices.example.com A 3600 192.0.2.1',
    ]);
    expect(ask(buildQuery('ns2.devices.example.com', TYPE.AAAA))).toMatchObject({ rcode: RCODE.NOERROR, answers: [] });
  });

  test('keep their addresses whatever the journal says', () => {
    const record: ZoneRecord = { owner: 'ns1.devices.example.com', type: 'A', data: '192.0.2.1' };
    const zone = exampleZone();
    const change = { apex: zone.apex, clear: [], add: [], remove: [] };
    zone.apply({ ...change, serial: 8, remove: [record] });
    zone.apply({ ...change, serial: 9, clear: [{ owner: record.owner, types: ['A', 'AAAA'] }] });
    expect(() => zone.apply({ ...change, serial: 10, add: [{ ...record, data: '10.6.6.6' }] })).toThrow(/does not fit/);
    expect(ask(buildQuery(record.owner, TYPE.A), [zone]).answers).toEqual(['ns1.devices.example.com A 3600 192.0.2.1']);
  });
});

describe('ANY', () => {
  test('gets one set, not all (RFC 8482)', () => {
    expect(ask(buildQuery('alpha.devices.example.com', TYPE.ANY)).answers).toEqual([
      'alpha.devices.example.com A 60 10.1.1.4',
    ]);
    expect(ask(buildQuery('devices.example.com', TYPE.ANY)).answers).toEqual([expect.stringContaining(' SOA ')]);
  });

  test('at an unknown name is "no such name"', () => {
    expect(ask(buildQuery('nobody.devices.example.com', TYPE.ANY)).rcode).toBe(RCODE.NXDOMAIN);
  });
});

describe('a change', () => {
  const change = { apex: exampleSnapshot.apex, clear: [], add: [], remove: [] };

  test('is seen at once, with its serial', () => {
    const changed = exampleZone();
    changed.apply({ ...change, serial: 8, add: [{ owner: 'beta.devices.example.com', type: 'A', data: '10.0.0.9' }] });
    expect(ask(buildQuery('beta.devices.example.com', TYPE.A), [changed]).answers).toHaveLength(1);
    expect(changed.serial).toBe(8);
    expect(ask(buildQuery('x.devices.example.com', TYPE.A), [changed]).authorities).toEqual([
      expect.stringContaining(' 8 60'),
    ]);
  });

  test('with one bad record changes nothing at all', () => {
    const changed = exampleZone();
    const good: ZoneRecord = { owner: 'beta.devices.example.com', type: 'A', data: '10.0.0.9' };
    for (const bad of [
      { ...good, data: '10.0.0' },
      { ...good, owner: 'beta.elsewhere.example' },
      { ...good, owner: 'Beta.devices.example.com' },
      { ...good, owner: 'a..devices.example.com' },
      { owner: good.owner, type: 'AAAA' as const, data: 'fe80::1%eth0' },
      { owner: good.owner, type: 'TXT' as const, data: 'x'.repeat(1021) },
    ]) {
      const clear = [{ owner: 'alpha.devices.example.com', types: ['A' as const] }];
      expect(() => changed.apply({ ...change, serial: 8, clear, add: [good, bad] })).toThrow(/does not fit/);
    }
    expect(ask(buildQuery(good.owner, TYPE.A), [changed]).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask(buildQuery('alpha.devices.example.com', TYPE.A), [changed]).answers).toHaveLength(1);
    expect(changed.serial).toBe(7);
  });

  test('that comes twice, or late, does no harm', () => {
    const changed = exampleZone();
    const record: ZoneRecord = { owner: 'beta.devices.example.com', type: 'A', data: '10.0.0.9' };
    changed.apply({ ...change, serial: 9, add: [record] });
    changed.apply({ ...change, serial: 8, add: [record] });
    expect(ask(buildQuery(record.owner, TYPE.A), [changed]).answers).toHaveLength(1);
    expect(changed.serial).toBe(9);
  });

  test('moves the serial over its wrap-around (RFC 1982)', () => {
    const changed = exampleZone({ serial: 0xffff_ffff });
    changed.apply({ ...change, serial: 1 });
    expect(changed.serial).toBe(1);
    changed.apply({ ...change, serial: 0xffff_ffff });
    expect(changed.serial).toBe(1);
  });

  test('records of the journal that do not fit are left out and told', () => {
    const misfits: string[] = [];
    const records: ZoneRecord[] = [
      { owner: 'alpha.elsewhere.example', type: 'A', data: '10.0.0.1' },
      { owner: 'alpha.devices.example.com', type: 'A', data: '10.0.0.1' },
    ];
    const built = new ServedZone({ ...exampleSnapshot, records }, (record) => misfits.push(record.owner));
    expect(misfits).toEqual(['alpha.elsewhere.example']);
    expect(ask(buildQuery('alpha.devices.example.com', TYPE.A), [built]).answers).toHaveLength(1);
  });
});
