/** Which authority may issue: said at the apex, found by climbing (RFC 8659, RFC 8657). */
import { describe, expect, test } from 'vitest';
import { formatCaa, parseCaa } from './caa-record.ts';
import { ask, buildQuery } from './example-query.ts';
import { exampleZone } from './example-zone.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneRecord } from './zone-journal.ts';

describe('CAA', () => {
  test('stands at the apex', () => {
    expect(ask(buildQuery('devices.example.com', TYPE.CAA)).answers).toEqual([
      'devices.example.com CAA 60 0 issue "ca.example; validationmethods=dns-01"',
      'devices.example.com CAA 60 0 issuewild ";"',
    ]);
  });

  test.each(['alpha.devices.example.com', '_acme-challenge.alpha.devices.example.com', 'empty.devices.example.com'])(
    '%s has none of its own: the authority climbs',
    (name) => {
      const reply = ask(buildQuery(name, TYPE.CAA));
      expect(reply).toMatchObject({ rcode: RCODE.NOERROR, answers: [], isAuthoritative: true });
      expect(reply.authorities).toHaveLength(1);
    },
  );

  test('a record for another owner is refused', () => {
    const record: ZoneRecord = { owner: 'alpha.devices.example.com', type: 'CAA', data: '0 issue "ca.example"' };
    const zone = exampleZone();
    expect(() => zone.apply({ apex: zone.apex, serial: 8, clear: [], remove: [], add: [record] })).toThrow(/CAA/);
    expect(ask(buildQuery('alpha.devices.example.com', TYPE.CAA), [zone]).answers).toEqual([]);
  });

  test('a set with the account of four authorities fits a UDP answer', () => {
    const records = ['a', 'b', 'c', 'd'].map((name): ZoneRecord => {
      const value = `${name}.example; accounturi=https://acme.${name}.example/acme/acct/1234567890; validationmethods=dns-01`;
      return { owner: 'devices.example.com', type: 'CAA', data: formatCaa({ flags: 0, tag: 'issue', value }) };
    });
    const reply = ask(buildQuery('devices.example.com', TYPE.CAA, { edns: {} }), [exampleZone({ records })]);
    expect(reply).toMatchObject({ isTruncated: false, answers: { length: 4 } });
  });

  test('text and record are two spellings of the same thing', () => {
    for (const caa of [
      { flags: 0, tag: 'issue', value: ';' },
      { flags: 128, tag: 'iodef', value: 'mailto:a"b\\c@example.com' },
      { flags: 255, tag: 'x', value: '' },
    ]) {
      expect(parseCaa(formatCaa(caa))).toEqual(caa);
    }
  });

  test.each([
    '',
    '0 issue',
    '256 issue ";"',
    '0 is-sue ";"',
    '0 issue ";',
    '0 issue ";" x',
    `0 issue "${'a'.repeat(513)}"`,
    '0 issue "é"',
  ])('%j is no CAA record', (text) => {
    expect(parseCaa(text)).toBeUndefined();
  });
});
