/** What holds for every message, however it is made: random bytes, damaged queries, random zones. */
import dnsPacket from 'dns-packet';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildName, buildOpt, buildQuery, readReply, shorts } from './example-query.ts';
import { exampleSnapshot, exampleZone } from './example-zone.ts';
import { parseQuery } from './parse-query.ts';
import { respond } from './respond.ts';
import { ServedZone } from './served-zone.ts';
import { RCODE, TYPE, type Transport } from './wire.ts';
import type { ZoneRecord } from './zone-journal.ts';

const ZONES = [exampleZone()];
const RUNS = { numRuns: 3_000 };

const anyLabel = fc.stringMatching(/^[abcXYZ019_*-]{1,12}$/);
const anyName = fc.array(anyLabel, { maxLength: 6 }).map((labels) => labels.join('.'));
const anyType = fc.oneof(fc.constantFrom(...Object.values(TYPE)), fc.integer({ min: 0, max: 0xffff }));

describe('whatever comes in', () => {
  test('random bytes are parsed or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(faultOf(Buffer.from(bytes))).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('so are real queries with damage: bytes changed, cut off, repeated', () => {
    const query = buildQuery('alpha.devices.example.com', TYPE.TXT, { edns: { options: shorts(10, 2, 7) } });
    const damage = fc.tuple(
      fc.array(fc.tuple(fc.nat(query.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(query.length),
      fc.uint8Array({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(damage, ([changes, cut, tail]) => {
        const bytes = Buffer.from(query);
        for (const [offset, value] of changes) bytes[offset] = value;
        expect(faultOf(Buffer.concat([bytes.subarray(0, cut), tail]))).toBeUndefined();
        expect(faultOf(bytes)).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('what another implementation writes is read the same', () => {
    const anyQuery = fc.record({ name: anyName, type: fc.constantFrom('A', 'TXT', 'CAA', 'SOA'), id: fc.nat(0xffff) });
    fc.assert(
      fc.property(anyQuery, fc.boolean(), ({ name, type, id }, hasRd) => {
        const questions = [{ name, type: nameOfType(type), class: 'IN' as const }];
        const flags = hasRd ? dnsPacket.RECURSION_DESIRED : 0;
        const parsed = parseQuery(dnsPacket.encode({ type: 'query', id, flags, questions }));
        const code = TYPE[nameOfType(type)];
        expect(parsed).toMatchObject({ kind: 'query', id, name: name.toLowerCase(), type: code, class: 1 });
        expect(parsed).toMatchObject({ isRecursionDesired: hasRd, edns: undefined });
      }),
      RUNS,
    );
  });
});

describe('whatever is asked of whatever zone', () => {
  test('the answer is the one that a plain reading of the records gives', () => {
    fc.assert(
      fc.property(anyZoneRecords(), fc.array(anyQuestion(), { minLength: 5, maxLength: 20 }), (records, questions) => {
        const zone = new ServedZone({ ...exampleSnapshot, records }, () => {});
        for (const question of questions) {
          const seen = observe(zone, question);
          expect(seen).toEqual(reference(zone.serial, records, seen));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the same when the records came and went by changes', () => {
    const anySteps = fc.array(fc.tuple(fc.boolean(), anyZoneRecords()), { maxLength: 8 });
    fc.assert(
      fc.property(anySteps, fc.array(anyQuestion(), { minLength: 5, maxLength: 20 }), (steps, questions) => {
        const zone = new ServedZone({ ...exampleSnapshot, records: [] }, () => {});
        let records: ZoneRecord[] = [];
        let serial = exampleSnapshot.serial;
        for (const [isAdded, changed] of steps) {
          serial += 1;
          const none: ZoneRecord[] = [];
          const [add, remove] = isAdded ? [changed, none] : [none, changed];
          zone.apply({ apex: zone.apex, serial, clear: [], add, remove });
          records = isAdded ? [...records, ...changed] : records.filter((one) => !changed.some(sameAs(one)));
        }
        for (const question of questions) {
          const seen = observe(zone, question);
          expect(seen).toEqual(reference(zone.serial, records, seen));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** What is wrong with the answer to `message`, by either transport. */
function faultOf(message: Buffer): string | undefined {
  return faultBy('udp', message) ?? faultBy('tcp', message);
}

function faultBy(transport: Transport, message: Buffer): string | undefined {
  const bytes = respond(message, transport, ZONES);
  const isDropped = message.length < 12 || (message.readUInt8(2) & 0x80) !== 0;
  if (bytes === undefined) return isDropped ? undefined : 'dropped';
  if (isDropped) return 'answered';
  if (bytes.length > 1232) return `${bytes.length} bytes`;
  if (bytes.readUInt16BE(0) !== message.readUInt16BE(0)) return 'another id';
  if ((bytes.readUInt8(2) & 0xf8) !== (0x80 | (message.readUInt8(2) & 0x78))) return 'another operation';
  // Another implementation can read it, to its last byte.
  readReply(bytes);
  return lengthOf(bytes) === bytes.length ? undefined : 'bytes behind the end';
}

/** The length that the reader of dns-packet arrived at. */
function lengthOf(bytes: Buffer): number {
  dnsPacket.decode(bytes);
  return dnsPacket.decode.bytes;
}

const KNOWN_TYPES = ['A', 'TXT', 'CAA', 'SOA'] as const;

function nameOfType(text: string): (typeof KNOWN_TYPES)[number] {
  return KNOWN_TYPES.find((known) => known === text) ?? 'A';
}

/** Few labels, so that names meet: above, below, beside each other. */
const fewLabels = fc.constantFrom('a', 'b', 'c', '_acme-challenge', 'ns1');

function anyOwner(): fc.Arbitrary<string> {
  return fc.array(fewLabels, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.devices.example.com`);
}

function anyZoneRecords(): fc.Arbitrary<ZoneRecord[]> {
  const anyRecord = fc.oneof(
    fc.record({ owner: anyOwner(), type: fc.constant('A' as const), data: fc.ipV4() }),
    fc.record({
      owner: anyOwner(),
      type: fc.constant('AAAA' as const),
      data: fc.constantFrom('fd00::1', '::', '1::2'),
    }),
    fc.record({ owner: anyOwner(), type: fc.constant('TXT' as const), data: fc.constantFrom('one', 'two', 'three') }),
  );
  return fc.array(anyRecord, { maxLength: 12 }).map((records) => records.filter((record) => !isNameServer(record)));
}

function isNameServer({ owner, type }: ZoneRecord): boolean {
  return type !== 'TXT' && owner.startsWith('ns1.devices');
}

interface AnyQuestion {
  readonly name: string;
  readonly type: number;
}

function anyQuestion(): fc.Arbitrary<AnyQuestion> {
  const below = fc.tuple(
    fc.array(fewLabels, { maxLength: 4 }),
    fc.constantFrom('', 'Devices.EXAMPLE.com', 'example.com'),
  );
  const name = fc.oneof(
    { arbitrary: below.map(([labels, end]) => [...labels, end].filter(Boolean).join('.')), weight: 5 },
    { arbitrary: anyName, weight: 1 },
  );
  const type = fc.oneof(fc.constantFrom<number>(TYPE.A, TYPE.AAAA, TYPE.TXT, TYPE.NS, TYPE.SOA, TYPE.CAA), anyType);
  return fc.record({ name, type });
}

function sameAs(one: ZoneRecord): (other: ZoneRecord) => boolean {
  return (other) => one.owner === other.owner && one.type === other.type && one.data === other.data;
}

interface Seen extends AnyQuestion {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
}

function observe(zone: ServedZone, { name, type }: AnyQuestion): Seen {
  const bytes = respond(buildQuery(name, type), 'tcp', [zone]);
  if (bytes === undefined) throw new Error('dropped');
  const { rcode, isAuthoritative, answers, authorities } = readReply(bytes);
  return { name, type, rcode, isAuthoritative, answers, authorities };
}

/** Goes through everything that the zone holds; slow and obvious. */
function reference(serial: number, records: readonly ZoneRecord[], seen: Seen): Seen {
  const { name, type } = seen;
  const asked = name.toLowerCase();
  const refused = { name, type, rcode: RCODE.REFUSED, isAuthoritative: false, answers: [], authorities: [] };
  const isOurs = asked === APEX || asked.endsWith(`.${APEX}`);
  if (!isOurs || type === TYPE.AXFR || type === TYPE.IXFR) return refused;
  const all = [
    { owner: APEX, type: TYPE.SOA, line: `${APEX} SOA 3600 ${soaData(serial)}` },
    ...exampleSnapshot.nameServers.map((server) => ({
      owner: APEX,
      type: TYPE.NS,
      line: `${APEX} NS 3600 ${server.name}`,
    })),
    { owner: 'ns1.devices.example.com', type: TYPE.A, line: 'ns1.devices.example.com A 3600 192.0.2.1' },
    { owner: 'ns1.devices.example.com', type: TYPE.AAAA, line: 'ns1.devices.example.com AAAA 3600 2001:db8::1' },
    { owner: 'ns2.devices.example.com', type: TYPE.A, line: 'ns2.devices.example.com A 3600 198.51.100.1' },
    ...records.map(({ owner, type: kind, data }) => ({ owner, type: TYPE[kind], line: `${owner} ${kind} 60 ${data}` })),
  ];
  const here = all.filter((record) => record.owner === asked);
  const wanted = type === TYPE.ANY ? chosenType(seen.answers) : type;
  // With ANY left nothing was answered, which is right for a name without records only.
  const found = here.filter((record) => wanted === TYPE.ANY || record.type === wanted);
  const answers = [...new Set(found.map(({ line }) => line))];
  const exists = all.some(({ owner }) => owner === asked || owner.endsWith(`.${asked}`));
  return {
    name,
    type,
    rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
    isAuthoritative: true,
    answers: answers.toSorted(),
    authorities: answers.length === 0 ? [`${APEX} SOA 60 ${soaData(serial)}`] : [],
  };
}

/** ANY may be answered with any one type; the answer must then be that of a question for it. */
function chosenType(answers: readonly string[]): number {
  const answered = answers[0]?.split(' ')[1];
  return Object.entries(TYPE).find(([name]) => name === answered)?.[1] ?? TYPE.ANY;
}

const APEX = 'devices.example.com';

function soaData(serial: number): string {
  return `ns1.devices.example.com hostmaster.example.com ${serial} 60`;
}

test('a query that is followed by everything that it may carry is understood', () => {
  const parts = [shorts(1, 0, 1, 0, 1, 4), buildName('x.example'), shorts(TYPE.IXFR, 1)];
  const record = Buffer.concat([Buffer.of(0xc0, 12), shorts(6, 1, 0, 0, 0)]);
  const message = Buffer.concat([...parts, record, record, record, buildOpt({}), record]);
  expect(parseQuery(message)).toMatchObject({ kind: 'query', edns: { version: 0 } });
});
