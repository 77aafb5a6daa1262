/** Messages that are no query: what gets "format error", and what gets silence. */
import { describe, expect, test } from 'vitest';
import { ask, buildName, buildOpt, buildQuery, shorts } from './example-query.ts';
import { respond } from './respond.ts';
import { RCODE, TYPE } from './wire.ts';

const QUESTION = Buffer.concat([buildName('alpha.devices.example.com'), shorts(TYPE.A, 1)]);

function message(counts: readonly [number, number, number, number], ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([shorts(4711, 0x0100, ...counts), ...parts]);
}

describe('malformed messages', () => {
  test('a response is dropped: two servers would answer each other for ever', () => {
    const query = buildQuery('alpha.devices.example.com', TYPE.A, { flags: 0x8000 });
    expect(respond(query, 'udp', [])).toBeUndefined();
    expect(respond(query, 'tcp', [])).toBeUndefined();
  });

  test('what is too short to have a header is dropped', () => {
    const query = buildQuery('alpha.devices.example.com', TYPE.A);
    for (let length = 0; length < 12; length++) expect(respond(query.subarray(0, length), 'udp', [])).toBeUndefined();
  });

  test.each<readonly [string, Buffer]>([
    ['no question (RFC 9619)', message([0, 0, 0, 0])],
    ['two questions (RFC 9619)', message([2, 0, 0, 0], QUESTION, QUESTION)],
    ['65535 questions', message([65_535, 0, 0, 0], QUESTION)],
    ['an answer in a query', message([1, 1, 0, 0], QUESTION, QUESTION, shorts(0, 60, 4, 1, 2))],
    ['a name that ends with the message', message([1, 0, 0, 0], QUESTION.subarray(0, 10))],
    ['a question without its class', message([1, 0, 0, 0], QUESTION.subarray(0, -2))],
    ['bytes behind the end', message([1, 0, 0, 0], QUESTION, Buffer.of(0))],
    ['bytes behind the last record', message([1, 0, 0, 1], QUESTION, buildOpt({}), Buffer.of(0))],
    ['a name that points to itself', message([1, 0, 0, 0], Buffer.of(0xc0, 12), shorts(1, 1))],
    ['a name that points forward', message([1, 0, 0, 0], Buffer.of(0xc0, 20), shorts(1, 1), buildName('x'))],
    ['a label of an unknown kind', message([1, 0, 0, 0], Buffer.of(0x41, 1, 0), shorts(1, 1))],
    [
      'a name of 256 bytes',
      message([1, 0, 0, 0], buildName(`${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(62)), shorts(1, 1)),
    ],
    ['two OPT records', message([1, 0, 0, 2], QUESTION, buildOpt({}), buildOpt({}))],
    ['an OPT record with an owner', message([1, 0, 0, 1], QUESTION, buildName('x'), buildOpt({}).subarray(1))],
    ['an OPT record in the wrong section', message([1, 0, 1, 0], QUESTION, buildOpt({}))],
    ['an EDNS option longer than its record', message([1, 0, 0, 1], QUESTION, buildOpt({ options: shorts(10, 9, 0) }))],
    ['an EDNS option without its length', message([1, 0, 0, 1], QUESTION, buildOpt({ options: shorts(10) }))],
    ['a record longer than the message', message([1, 0, 0, 1], QUESTION, Buffer.of(0), shorts(16, 1, 0, 0, 99))],
    ['a record that is announced and missing', message([1, 0, 0, 1], QUESTION)],
    [
      'more records than any query has',
      message([1, 0, 0, 5], QUESTION, ...Array.from({ length: 5 }, () => buildOpt({}))),
    ],
  ])('%s is a format error', (_, bytes) => {
    const reply = ask(bytes);
    expect(reply.rcode).toBe(RCODE.FORMERR);
    expect(reply.bytes.length).toBe(12);
    expect(reply).toMatchObject({ id: 4711, isRecursionDesired: true, isAuthoritative: false });
  });

  test('a longest possible name is none', () => {
    const name = `${`${'a'.repeat(63)}.`.repeat(3)}${'a'.repeat(61)}`;
    expect(buildName(name).length).toBe(255);
    expect(ask(buildQuery(name, TYPE.A)).rcode).toBe(RCODE.REFUSED);
  });

  test('another operation with sections of its own is not implemented rather than malformed', () => {
    const update = Buffer.concat([shorts(1, 5 << 11, 1, 9, 9, 9), buildName('devices.example.com'), shorts(6, 1)]);
    expect(ask(update).rcode).toBe(RCODE.NOTIMP);
  });

  test('records that other queries carry do not disturb: the SOA of IXFR, a signature', () => {
    const soa = Buffer.concat([Buffer.of(0xc0, 12), shorts(6, 1, 0, 0, 2, 0)]);
    expect(ask(message([1, 0, 1, 0], QUESTION, soa)).rcode).toBe(RCODE.NOERROR);
    const signature = Buffer.concat([buildName('key'), shorts(250, 255, 0, 0, 2, 0)]);
    const reply = ask(message([1, 0, 0, 2], QUESTION, buildOpt({}), signature));
    expect(reply.rcode).toBe(RCODE.NOERROR);
    expect(reply.opt).toBeDefined();
  });
});
