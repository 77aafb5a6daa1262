import { describe, expect, test } from 'vitest';
import { sign, signInRow, TSIG_ERROR } from '../tsig/sign.ts';
import { parseTsigSecret, type TsigKey } from '../tsig/tsig-key.ts';
import { findTsig } from '../tsig/tsig-record.ts';
import { verify } from '../tsig/verify.ts';
import { buildName, buildOpt, buildQuery, readReply, shorts, type Reply } from './example-query.ts';
import { EXAMPLE_APEX, exampleZone } from './example-zone.ts';
import { TransferDesk, type SignedAnswer } from './transfer-desk.ts';
import { RCODE, TYPE, type Transport } from './wire.ts';
import { ZoneHistory } from './zone-history.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const SECONDARY = '192.0.2.7';
const KEY = keyOf('ns1', 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=');
const OTHER_KEY = keyOf('ns2', 'b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMTI=');

function keyOf(name: string, text: string): TsigKey {
  return { name, algorithm: 'hmac-sha256', secret: parseTsigSecret(text)! };
}

function openDesk({ zone = exampleZone(), rememberedChanges = 100 } = {}) {
  const history = new ZoneHistory(zone, rememberedChanges);
  const policy = {
    keys: [KEY, OTHER_KEY],
    secondaries: [
      { address: SECONDARY, keyName: 'ns1' },
      { address: '2001:DB8:0::7', keyName: 'ns1' },
    ],
    rememberedChanges,
  };
  const desk = new TransferDesk({ policy, histories: () => [history], nowMs: () => NOW_MS });
  const ask = (message: Buffer, { address = SECONDARY, transport = 'tcp' }: Partial<Way> = {}): SignedAnswer =>
    desk.answer(message, { address, transport }, [zone]);
  return { ask, history };
}

interface Way {
  readonly address: string;
  readonly transport: Transport;
}

function ixfr(serial: number, edns: Buffer = Buffer.alloc(0)): Buffer {
  const soa = Buffer.concat([
    buildName(EXAMPLE_APEX),
    shorts(TYPE.SOA, 1, 0, 0, 22, 0, serial >>> 16, serial & 0xffff, 0, 0, 0, 0, 0, 0, 0, 0),
  ]);
  const query = Buffer.concat([buildQuery(EXAMPLE_APEX, TYPE.IXFR), soa, edns]);
  query.writeUInt16BE(1, 8);
  query.writeUInt16BE(edns.length > 0 ? 1 : 0, 10);
  return query;
}

function signed(query: Buffer, key = KEY, nowMs = NOW_MS): Buffer {
  return sign(query, { key, nowMs }).message;
}

/** All messages of an answer, after their signatures have been compared with what signing them gives. */
function replies(answer: SignedAnswer, query: Buffer, key = KEY): readonly Reply[] {
  if (answer === undefined) throw new Error('no answer');
  const messages = Buffer.isBuffer(answer) ? [answer] : [...answer];
  const signNext = signInRow({ key, requestMac: sign(query, { key, nowMs: NOW_MS }).mac });
  return messages.map((message) => {
    const found = findTsig(message);
    if (typeof found === 'string') throw new Error(found);
    expect(message.equals(signNext(found.unsigned, NOW_MS))).toBe(true);
    return readReply(found.unsigned);
  });
}

const AXFR = buildQuery(EXAMPLE_APEX, TYPE.AXFR);
const SOA_AT = (serial: number) => expect.stringMatching(new RegExp(`SOA 3600 .* ${serial} 60$`));

describe('who gets a zone', () => {
  test.each<[string, Buffer, Partial<Way>, number]>([
    ['key and address fit', signed(AXFR), {}, RCODE.NOERROR],
    ['the address is spelt otherwise', signed(AXFR), { address: '2001:db8::7' }, RCODE.NOERROR],
    ['another address', signed(AXFR), { address: '192.0.2.8' }, RCODE.REFUSED],
    ['a key that is another’s', signed(AXFR, OTHER_KEY), {}, RCODE.REFUSED],
    [
      'a key that nobody has',
      signed(AXFR, keyOf('ns3', 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=')),
      {},
      RCODE.NOTAUTH,
    ],
    ['another secret', signed(AXFR, { ...OTHER_KEY, name: 'ns1' }), {}, RCODE.NOTAUTH],
    ['a clock that is wrong', signed(AXFR, KEY, NOW_MS - 301_000), {}, RCODE.NOTAUTH],
    ['a zone that is not ours', signed(buildQuery('example.org', TYPE.AXFR)), {}, RCODE.NOTAUTH],
    ['AXFR over UDP', signed(AXFR), { transport: 'udp' }, RCODE.REFUSED],
    ['IXFR without a serial', signed(buildQuery(EXAMPLE_APEX, TYPE.IXFR)), {}, RCODE.FORMERR],
  ])('%s', (_what, message, way, rcode) => {
    const answer = openDesk().ask(message, way);
    if (answer === undefined) throw new Error('no answer');
    const [first = Buffer.alloc(0)] = Buffer.isBuffer(answer) ? [answer] : [...answer];
    expect(first.readUInt8(3) & 0x0f).toBe(rcode);
    // The refused learn nothing of the zone.
    expect(first.readUInt16BE(6) > 0).toBe(rcode === RCODE.NOERROR);
  });

  test('without a signature it is nothing for this desk', () => {
    expect(openDesk().ask(AXFR)).toBeUndefined();
    expect(openDesk().ask(ixfr(7, buildOpt({})))).toBeUndefined();
  });

  test('what is wrong with a signature is said', () => {
    for (const [message, error] of [
      [signed(AXFR, { ...OTHER_KEY, name: 'ns1' }), TSIG_ERROR.BADSIG],
      [signed(AXFR, KEY, NOW_MS + 301_000), TSIG_ERROR.BADTIME],
    ] as const) {
      const answer = openDesk().ask(message);
      const found = findTsig(Buffer.isBuffer(answer) ? answer : Buffer.alloc(0));
      expect(found).toMatchObject({ record: { error } });
    }
  });

  test('a signature that does not stand last is malformed', () => {
    const message = Buffer.concat([signed(AXFR), buildOpt({})]);
    message.writeUInt16BE(2, 10);
    const answer = openDesk().ask(message);
    expect(Buffer.isBuffer(answer) && answer.readUInt8(3) & 0x0f).toBe(RCODE.FORMERR);
  });
});

describe('what a secondary gets', () => {
  test('the whole zone, between its SOA twice', () => {
    const [reply, ...others] = replies(openDesk().ask(signed(AXFR)), AXFR);
    expect(others).toEqual([]);
    expect(reply).toMatchObject({ isAuthoritative: true, question: EXAMPLE_APEX });
    expect(reply!.answers).toHaveLength(2 + 3 + 3 + 7);
    expect(reply!.answers.filter((line) => line.includes(' SOA '))).toEqual([SOA_AT(7), SOA_AT(7)]);
  });

  test('a large zone in many messages, each signed after the one before, none longer than needed', () => {
    const records = Array.from({ length: 5_000 }, (_, index) => {
      return { owner: `n${index}.${EXAMPLE_APEX}`, type: 'A', data: '10.0.0.1' } as const;
    });
    const { ask } = openDesk({ zone: exampleZone({ records }) });
    const all = replies(ask(signed(AXFR)), AXFR);
    expect(all.length).toBeGreaterThan(5);
    for (const { bytes } of all) expect(bytes.length).toBeLessThanOrEqual(16_000 + 11);
    expect(all.flatMap(({ answers }) => answers)).toHaveLength(2 + 3 + 3 + records.length);
  });

  test('changes, or the SOA alone, or the whole zone', () => {
    const { ask, history } = openDesk({ rememberedChanges: 10 });
    const add = [{ owner: `new.${EXAMPLE_APEX}`, type: 'A', data: '10.9.9.9' } as const];
    history.apply({ apex: EXAMPLE_APEX, serial: 8, clear: [], remove: [], add });
    const answersTo = (query: Buffer): readonly string[] =>
      replies(ask(signed(query)), query).flatMap(({ answers }) => answers);
    expect(answersTo(ixfr(7))).toEqual([
      SOA_AT(7),
      SOA_AT(8),
      SOA_AT(8),
      SOA_AT(8),
      `new.${EXAMPLE_APEX} A 60 10.9.9.9`,
    ]);
    expect(answersTo(ixfr(8))).toEqual([SOA_AT(8)]);
    expect(answersTo(ixfr(9))).toEqual([SOA_AT(8)]);
    expect(answersTo(ixfr(6)).length).toBeGreaterThan(10);
  });

  test('over UDP the SOA alone, so that it comes by TCP', () => {
    const query = ixfr(6);
    const [reply] = replies(openDesk().ask(signed(query), { transport: 'udp' }), query);
    expect(reply!.answers).toEqual([SOA_AT(7)]);
  });

  test('OPT, if it sent one', () => {
    const query = ixfr(7, buildOpt({ udpBytes: 4096 }));
    const [reply] = replies(openDesk().ask(signed(query)), query);
    expect(reply).toMatchObject({ opt: { version: 0 }, answers: [SOA_AT(7)] });
  });

  test('a signed answer to an ordinary question, cut where the signature leaves no room', () => {
    const { ask } = openDesk();
    const query = buildQuery(EXAMPLE_APEX, TYPE.SOA);
    expect(replies(ask(signed(query), { transport: 'udp', address: '203.0.113.1' }), query)[0]!.answers).toEqual([
      SOA_AT(7),
    ]);
    const records = Array.from({ length: 6 }, (_, index) => {
      return { owner: `many.${EXAMPLE_APEX}`, type: 'TXT', data: `${index}`.repeat(54) } as const;
    });
    const wide = openDesk({ zone: exampleZone({ records }) });
    const long = buildQuery(`many.${EXAMPLE_APEX}`, TYPE.TXT);
    const [cut] = replies(wide.ask(signed(long), { transport: 'udp' }), long);
    expect(cut).toMatchObject({ isTruncated: true, answers: [] });
    expect(replies(wide.ask(signed(long)), long)[0]!.answers).toHaveLength(6);
  });
});

test('whatever is changed in a signed question, nothing breaks and nobody gets the zone', () => {
  const { ask } = openDesk();
  const message = signed(ixfr(6));
  const keys = [KEY];
  for (let at = 2; at < message.length; at++) {
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(message);
      changed.writeUInt8(changed.readUInt8(at) ^ bit, at);
      const isStillGood = verify(changed, { keys, nowMs: NOW_MS }).kind === 'good';
      const answer = ask(changed);
      expect({ at, isHarmless: isStillGood || answer === undefined || Buffer.isBuffer(answer) }).toEqual({
        at,
        isHarmless: true,
      });
    }
  }
});
