/** Answers that are too large for the way they would have to go. */
import { describe, expect, test } from 'vitest';
import { ask, buildQuery } from './example-query.ts';
import { exampleZone } from './example-zone.ts';
import { RCODE, TYPE } from './wire.ts';
import type { ZoneRecord } from './zone-journal.ts';

const NAME = 'big.devices.example.com';

/** `count` texts, each of which makes a record of 112 bytes: pointer, fixed part, length byte, 99 characters. */
function zoneWithTexts(count: number) {
  const records = Array.from({ length: count }, (_, index): ZoneRecord => {
    return { owner: NAME, type: 'TXT', data: String(index).padStart(99, '.') };
  });
  return [exampleZone({ records })];
}

function askFor(udpBytes: number, count: number) {
  return ask(buildQuery(NAME, TYPE.TXT, { edns: { udpBytes } }), zoneWithTexts(count));
}

describe('truncation', () => {
  test('512 bytes without EDNS: what fits goes out, what does not becomes TC with empty sections', () => {
    const query = buildQuery(NAME, TYPE.TXT);
    expect(ask(query, zoneWithTexts(4))).toMatchObject({ isTruncated: false, answers: { length: 4 } });
    const reply = ask(query, zoneWithTexts(5));
    expect(reply).toMatchObject({
      isTruncated: true,
      answers: [],
      authorities: [],
      additionals: [],
      rcode: RCODE.NOERROR,
    });
    expect(reply.question).toBe(NAME);
    expect(reply.isAuthoritative).toBe(true);
    expect(reply.bytes.length).toBeLessThan(512);
  });

  test('with EDNS the asker decides, up to 1232 bytes', () => {
    expect(askFor(1232, 10).isTruncated).toBe(false);
    expect(askFor(65_535, 10).isTruncated).toBe(false);
    expect(askFor(65_535, 11).isTruncated).toBe(true);
    expect(askFor(800, 6).isTruncated).toBe(false);
    expect(askFor(800, 7).isTruncated).toBe(true);
    expect(askFor(65_535, 11).opt).toBeDefined();
  });

  test('a smaller size than 512 is read as 512', () => {
    const reply = ask(buildQuery(NAME, TYPE.TXT, { edns: { udpBytes: 0 } }), zoneWithTexts(3));
    expect(reply).toMatchObject({ isTruncated: false, answers: { length: 3 } });
  });

  test('the OPT record is counted: an answer of exactly the limit fits, one byte more does not', () => {
    const size = ask(buildQuery(NAME, TYPE.TXT, { edns: {} }), zoneWithTexts(8)).bytes.length;
    expect(askFor(size, 8).isTruncated).toBe(false);
    expect(askFor(size - 1, 8).isTruncated).toBe(true);
  });

  test('over TCP everything goes', () => {
    const reply = ask(buildQuery(NAME, TYPE.TXT), zoneWithTexts(500), 'tcp');
    expect(reply).toMatchObject({ isTruncated: false, answers: { length: 500 } });
  });

  test('what no TCP message can hold is a server failure, not half an answer', () => {
    const reply = ask(buildQuery(NAME, TYPE.TXT), zoneWithTexts(700), 'tcp');
    expect(reply).toMatchObject({ rcode: RCODE.SERVFAIL, isTruncated: false, answers: [] });
    expect(ask(buildQuery(NAME, TYPE.TXT), zoneWithTexts(4)).answers).toHaveLength(4);
  });

  test('addresses of name servers that do not fit are left out without TC', () => {
    const addresses = Array.from({ length: 40 }, (_, index) => `2001:db8::${index + 1}`);
    const nameServers = [
      { name: 'ns1.devices.example.com', addresses: ['192.0.2.1', ...addresses] },
      { name: 'ns2.devices.example.com', addresses: ['192.0.2.2'] },
    ];
    const reply = ask(buildQuery('devices.example.com', TYPE.NS), [exampleZone({ nameServers })]);
    expect(reply).toMatchObject({ isTruncated: false, answers: { length: 2 } });
    expect(reply.additionals).toEqual([
      'ns1.devices.example.com A 3600 192.0.2.1',
      'ns2.devices.example.com A 3600 192.0.2.2',
    ]);
  });
});
