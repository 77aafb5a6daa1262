/** A flood with forged senders: its victim gets little, and whoever proves to be no victim gets everything. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { silentLogger, type LogFields } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createDefence, type DefenceSettings } from './defence.ts';
import { buildQuery, readReply, shorts, type Reply } from './example-query.ts';
import { exampleZone } from './example-zone.ts';
import { respond } from './respond.ts';
import { DnsServer } from './server.ts';
import { RCODE, TYPE, type Transport } from './wire.ts';

const NAME = 'alpha.devices.example.com';
const CLIENT = '2464c4abcf10c957';
const ADDRESS = '192.0.2.1';
const ZONES = [exampleZone()];

class Bench {
  readonly clock = new VirtualClock();
  readonly lines: LogFields[] = [];
  readonly #defence;

  constructor(rateLimit: Partial<DefenceSettings['rateLimit']> = {}) {
    const limits = { perSecond: 3, errorsPerSecond: 2, slip: 2, exempt: [], ...rateLimit };
    const settings = { rateLimit: limits, seed: 1, cookieSecrets: [Buffer.alloc(16, 1)] };
    const log = { ...silentLogger, warn: (fields: LogFields) => void this.lines.push(fields) };
    this.#defence = createDefence(settings, { clock: this.clock, log });
  }

  ask(message: Buffer, transport: Transport = 'udp', address = ADDRESS): Buffer | undefined {
    return respond(message, transport, ZONES, { address, defence: this.#defence });
  }

  reply(message: Buffer, transport?: Transport): Reply | undefined {
    const bytes = this.ask(message, transport);
    return bytes && readReply(bytes);
  }

  exhaust(): void {
    for (let count = 0; count < 3; count++) this.ask(withCookie());
  }
}

function withCookie(cookie = CLIENT, name = NAME, version = 0): Buffer {
  const data = Buffer.from(cookie, 'hex');
  return buildQuery(name, TYPE.A, { edns: { version, options: Buffer.concat([shorts(10, data.length), data]) } });
}

/** The cookie of an answer, whose last record is the OPT and last option the cookie. */
function cookieOf(bytes: Buffer | undefined): string | undefined {
  const tail = bytes?.subarray(-28);
  return tail?.subarray(0, 4).equals(shorts(10, 24)) ? tail.subarray(4).toString('hex') : undefined;
}

describe('a cookie', () => {
  test('is learnt with the first answer, whatever it says, over UDP and over TCP', () => {
    for (const transport of ['udp', 'tcp'] as const) {
      for (const name of [NAME, 'nobody.devices.example.com', 'example.org']) {
        expect(cookieOf(new Bench().ask(withCookie(CLIENT, name), transport))).toMatch(
          new RegExp(`^${CLIENT}01000000`),
        );
      }
    }
  });

  test('is not offered to who sent none, or another version of EDNS', () => {
    const bench = new Bench();
    expect(bench.ask(buildQuery(NAME, TYPE.A, { edns: {} }))?.subarray(-2)).toEqual(shorts(0));
    const reply = bench.ask(withCookie(CLIENT, NAME, 1));
    expect(cookieOf(reply)).toBeUndefined();
    expect(reply && readReply(reply).rcode).toBe(RCODE.BADVERS);
  });

  test('comes first of several, and other options beside it are passed over', () => {
    const other = Buffer.from('ffffffffffffffff', 'hex');
    const options = Buffer.concat([
      shorts(12, 1),
      Buffer.of(0),
      shorts(10, 8),
      Buffer.from(CLIENT, 'hex'),
      shorts(10, 8),
      other,
    ]);
    const bytes = new Bench().ask(buildQuery(NAME, TYPE.A, { edns: { options } }));
    expect(cookieOf(bytes)?.slice(0, 16)).toBe(CLIENT);
  });

  test.each([0, 7, 9, 15, 41])('of %i bytes is a format error', (bytes) => {
    expect(new Bench().reply(withCookie('00'.repeat(bytes)))?.rcode).toBe(RCODE.FORMERR);
  });

  test('has its place in the size of an answer', () => {
    // Both in 492 bytes, which fit plain UDP; with a cookie there are 28 more.
    const data = 'x'.repeat(205);
    const records = ['a', 'b'].map((letter) => ({ owner: NAME, type: 'TXT' as const, data: `${data}${letter}` }));
    const defence = createDefence(
      {
        rateLimit: { perSecond: 0, errorsPerSecond: 1, slip: 2, exempt: [] },
        seed: 1,
        cookieSecrets: [Buffer.alloc(16)],
      },
      { clock: new VirtualClock(), log: silentLogger },
    );
    const options = Buffer.concat([shorts(10, 8), Buffer.from(CLIENT, 'hex')]);
    for (const [udpBytes, isTruncated] of [
      [512, true],
      [519, true],
      [520, false],
    ] as const) {
      const query = buildQuery(NAME, TYPE.TXT, { edns: { udpBytes, options } });
      const bytes = respond(query, 'udp', [exampleZone({ records })], { address: ADDRESS, defence });
      expect(cookieOf(bytes)).toBeDefined();
      expect(bytes && readReply(bytes).isTruncated).toBe(isTruncated);
    }
  });
});

describe('over the limit', () => {
  test('every second answer is an empty, truncated one of the question’s size', () => {
    const bench = new Bench();
    const query = buildQuery(NAME, TYPE.A);
    const answered = Array.from({ length: 7 }, () => bench.reply(query));
    expect(answered.map((reply) => reply && [reply.isTruncated, reply.answers.length])).toEqual([
      [false, 1],
      [false, 1],
      [false, 1],
      undefined,
      [true, 0],
      undefined,
      [true, 0],
    ]);
    expect(answered[4]).toMatchObject({ rcode: RCODE.NOERROR, isAuthoritative: true, question: NAME });
    expect(answered[4]?.bytes).toHaveLength(query.length);
  });

  test('negative answers, refusals and format errors count as errors', () => {
    for (const query of [
      buildQuery('nobody.devices.example.com', TYPE.A),
      buildQuery(NAME, TYPE.CAA),
      buildQuery('example.org', TYPE.A),
      Buffer.concat([buildQuery(NAME, TYPE.A), Buffer.of(0)]),
    ]) {
      const bench = new Bench();
      const kinds = Array.from({ length: 6 }, () => bench.ask(query) !== undefined);
      expect(kinds).toEqual([true, true, false, true, false, true]);
      expect(bench.reply(buildQuery(NAME, TYPE.A))?.answers).toHaveLength(1);
    }
  });

  test('TCP is answered as ever', () => {
    const bench = new Bench();
    for (let count = 0; count < 50; count++) {
      expect(bench.reply(buildQuery(NAME, TYPE.A), 'tcp')?.answers).toHaveLength(1);
    }
  });

  test('a client with a cookie slips with BADCOOKIE, and is answered when it comes back with it', () => {
    const bench = new Bench();
    bench.exhaust();
    expect(bench.ask(withCookie())).toBeUndefined();
    const told = bench.ask(withCookie());
    expect(told && readReply(told)).toMatchObject({ rcode: RCODE.BADCOOKIE, answers: [], isTruncated: false });
    const learnt = cookieOf(told) ?? '';
    for (let count = 0; count < 50; count++) {
      const bytes = bench.ask(withCookie(learnt));
      expect(cookieOf(bytes)).toBe(learnt);
      expect(bytes && readReply(bytes).answers).toHaveLength(1);
    }
  });

  test('a made-up cookie, or one from another address, helps nobody', () => {
    const bench = new Bench();
    const stolen = cookieOf(bench.ask(withCookie(), 'udp', '198.51.100.1')) ?? '';
    bench.exhaust();
    for (const cookie of [stolen, `${CLIENT}0100000000000000ffffffffffffffff`]) {
      const replies = [bench.reply(withCookie(cookie)), bench.reply(withCookie(cookie))];
      expect(replies.map((reply) => reply?.rcode)).toEqual([undefined, RCODE.BADCOOKIE]);
    }
  });

  test('a proof takes nothing from the network’s rate', () => {
    const bench = new Bench();
    const learnt = cookieOf(bench.ask(withCookie())) ?? '';
    for (let count = 0; count < 50; count++) bench.ask(withCookie(learnt));
    expect(bench.reply(buildQuery(NAME, TYPE.A))?.answers).toHaveLength(1);
  });

  test('nothing that slips is longer than the question, but for the cookie', () => {
    const anyName = fc.constantFrom(NAME, 'devices.example.com', 'nobody.devices.example.com', 'example.org');
    fc.assert(
      fc.property(anyName, fc.constantFrom(...Object.values(TYPE)), fc.boolean(), (name, type, hasCookie) => {
        const bench = new Bench({ perSecond: 1, errorsPerSecond: 1, slip: 1 });
        const options = Buffer.concat([shorts(10, 8), Buffer.from(CLIENT, 'hex')]);
        const query = buildQuery(name, type, hasCookie ? { edns: { options } } : {});
        bench.ask(query);
        expect(bench.ask(query)?.length).toBeLessThanOrEqual(query.length + (hasCookie ? 16 : 0));
      }),
    );
  });

  test('the operator is told once a minute', async () => {
    const bench = new Bench();
    for (let count = 0; count < 13; count++) bench.ask(buildQuery(NAME, TYPE.A));
    expect(bench.lines).toEqual([]);
    await bench.clock.advance(60_000);
    expect(bench.lines).toEqual([{ slipped: 5, dropped: 5, example: ADDRESS }]);
  });

  test('without a limit there is none', () => {
    const bench = new Bench({ perSecond: 0 });
    for (let count = 0; count < 50; count++) {
      expect(bench.reply(buildQuery('nobody.devices.example.com', TYPE.A))?.rcode).toBe(RCODE.NXDOMAIN);
    }
  });
});

describe('through sockets', () => {
  const closers: (() => unknown)[] = [];

  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });

  async function startServer(): Promise<number> {
    const clock = new VirtualClock();
    const rateLimit = { perSecond: 3, errorsPerSecond: 2, slip: 1, exempt: ['127.0.1.0/24'] };
    const settings = { rateLimit, seed: 1, cookieSecrets: [Buffer.alloc(16, 1)] };
    const defence = createDefence(settings, { clock, log: silentLogger });
    const server = new DnsServer({ zones: () => ZONES, clock, log: silentLogger, defence: () => defence });
    closers.push(() => server.stop());
    const [address] = await server.start([{ host: '127.0.0.1', port: 0 }]);
    return address?.port ?? 0;
  }

  async function clientAt(host: string): Promise<Socket> {
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    socket.bind(0, host);
    await once(socket, 'listening');
    return socket;
  }

  test('the server counts by the sender, not by the socket', async () => {
    const port = await startServer();
    const clients = [await clientAt('127.0.0.1'), await clientAt('127.0.0.2')];
    const replies: Reply[] = [];
    for (let count = 0; count < 3; count++) {
      for (const client of clients) replies.push(readReply(await ask(client, port, buildQuery(NAME, TYPE.A))));
    }
    expect(replies.map((reply) => reply.isTruncated)).toEqual([false, false, false, true, true, true]);
    const elsewhere = await clientAt('127.0.2.1');
    expect(readReply(await ask(elsewhere, port, buildQuery(NAME, TYPE.A))).isTruncated).toBe(false);
    const exempt = await clientAt('127.0.1.1');
    for (let count = 0; count < 10; count++) {
      expect(readReply(await ask(exempt, port, buildQuery(NAME, TYPE.A))).isTruncated).toBe(false);
    }
  });

  test('a cookie binds to the sender’s address', async () => {
    const port = await startServer();
    const client = await clientAt('127.0.0.1');
    const learnt = cookieOf(await ask(client, port, withCookie())) ?? '';
    for (let count = 0; count < 10; count++) {
      expect(readReply(await ask(client, port, withCookie(learnt))).rcode).toBe(RCODE.NOERROR);
    }
    const other = await clientAt('127.0.0.2');
    await ask(other, port, buildQuery(NAME, TYPE.A));
    await ask(other, port, buildQuery(NAME, TYPE.A));
    expect(readReply(await ask(other, port, withCookie(learnt))).rcode).toBe(RCODE.BADCOOKIE);
  });
});

async function ask(client: Socket, port: number, message: Buffer): Promise<Buffer> {
  client.send(message, port, '127.0.0.1');
  const [bytes] = await once(client, 'message', { signal: AbortSignal.timeout(10_000) });
  return bytes;
}
