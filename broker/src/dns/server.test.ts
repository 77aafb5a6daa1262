import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { silentLogger } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { buildQuery, readReply, shorts, type Reply } from './example-query.ts';
import { exampleZone } from './example-zone.ts';
import { DnsServer, type DnsServerOptions } from './server.ts';
import { sign } from '../tsig/sign.ts';
import type { TsigKey } from '../tsig/tsig-key.ts';
import { TransferDesk } from './transfer-desk.ts';
import { RCODE, TYPE } from './wire.ts';
import type { Zone } from './zone.ts';
import { ZoneHistory } from './zone-history.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };
const QUERY = buildQuery('alpha.devices.example.com', TYPE.A);

const closers: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function startServer(more: Partial<DnsServerOptions> = {}) {
  const clock = new VirtualClock();
  const zones: readonly Zone[] = [exampleZone()];
  const server = new DnsServer({ zones: () => zones, clock, log: silentLogger, ...more });
  closers.push(() => server.stop());
  const [address] = await server.start([LOCAL]);
  if (address === undefined) throw new Error('no address');
  return { server, clock, port: address.port };
}

function udpClient(): UdpSocket {
  const socket = createSocket('udp4');
  closers.push(() => socket.close());
  return socket;
}

async function nextDatagram(socket: UdpSocket): Promise<Reply> {
  const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  return readReply(message);
}

function frame(message: Buffer): Buffer {
  return Buffer.concat([shorts(message.length), message]);
}

/** A client that collects whole answers. */
class TcpClient {
  readonly socket: Socket;
  /** Whether the connection is over. */
  readonly closed: Promise<boolean>;
  #received: Buffer = Buffer.alloc(0);

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.socket.emit('grown');
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => resolve(true));
    });
    closers.push(() => this.socket.destroy());
  }

  async ask(message = QUERY): Promise<Reply | undefined> {
    this.socket.write(frame(message));
    return (await this.answers(1))[0];
  }

  async answers(count: number): Promise<readonly Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) {
      const end = this.#received.length < 2 ? Infinity : this.#received.readUInt16BE(0) + 2;
      if (this.#received.length < end) {
        await once(this.socket, 'grown', { signal: AbortSignal.timeout(10_000) });
        continue;
      }
      replies.push(readReply(this.#received.subarray(2, end)));
      this.#received = this.#received.subarray(end);
    }
    return replies;
  }
}

describe('UDP', () => {
  test('a query gets its answer', async () => {
    const { port } = await startServer();
    const client = udpClient();
    client.send(QUERY, port, '127.0.0.1');
    expect((await nextDatagram(client)).answers).toEqual(['alpha.devices.example.com A 60 10.1.1.4']);
  });

  test('rubbish and responses are passed over, and the next query is answered', async () => {
    const { port } = await startServer();
    const client = udpClient();
    client.send(Buffer.alloc(0), port, '127.0.0.1');
    client.send(Buffer.alloc(3, 0xff), port, '127.0.0.1');
    client.send(buildQuery('alpha.devices.example.com', TYPE.A, { id: 1, flags: 0x8000 }), port, '127.0.0.1');
    client.send(buildQuery('alpha.devices.example.com', TYPE.A, { id: 2 }), port, '127.0.0.1');
    expect((await nextDatagram(client)).id).toBe(2);
  });

  test('zones are swapped between two answers', async () => {
    let zones: readonly Zone[] = [exampleZone()];
    const { port } = await startServer({ zones: () => zones });
    const client = udpClient();
    const query = buildQuery('devices.example.com', TYPE.SOA);
    client.send(query, port, '127.0.0.1');
    expect((await nextDatagram(client)).answers).toEqual([expect.stringContaining(' 7 60')]);
    zones = [exampleZone({ serial: 8 })];
    client.send(query, port, '127.0.0.1');
    expect((await nextDatagram(client)).answers).toEqual([expect.stringContaining(' 8 60')]);
  });

  test('nothing is answered until there is something to answer from', async () => {
    let zones: readonly Zone[] | undefined;
    const gate = new EventEmitter();
    const asked = once(gate, 'asked');
    const current = () => {
      gate.emit('asked');
      return zones;
    };
    const { port } = await startServer({ zones: current });
    const client = udpClient();
    client.send(buildQuery('devices.example.com', TYPE.SOA, { id: 1 }), port, '127.0.0.1');
    await asked;
    zones = [exampleZone()];
    client.send(buildQuery('devices.example.com', TYPE.SOA, { id: 2 }), port, '127.0.0.1');
    expect((await nextDatagram(client)).id).toBe(2);
  });

  test('a defect costs one answer, and one log line a minute', async () => {
    const lines: string[] = [];
    const log = { ...silentLogger, error: (_: unknown, message: string) => void lines.push(message) };
    const broken = Object.defineProperty(exampleZone(), 'apex', { get: fail });
    const zones: Zone[][] = [[broken], [broken], [exampleZone()]];
    const { port } = await startServer({ zones: () => zones.shift() ?? [], log });
    const client = udpClient();
    for (const id of [1, 2, 3]) client.send(buildQuery('devices.example.com', TYPE.SOA, { id }), port, '127.0.0.1');
    expect((await nextDatagram(client)).id).toBe(3);
    expect(lines).toHaveLength(1);
  });
});

describe('TCP', () => {
  test('queries in one packet, cut anywhere, are answered in order', async () => {
    const { port } = await startServer();
    const client = new TcpClient(port);
    const queries = [1, 2, 3].map((id) => frame(buildQuery('alpha.devices.example.com', TYPE.A, { id })));
    const bytes = Buffer.concat(queries);
    for (let start = 0; start < bytes.length; start += 7) client.socket.write(bytes.subarray(start, start + 7));
    expect((await client.answers(3)).map((reply) => reply.id)).toEqual([1, 2, 3]);
    expect(await client.ask()).toBeDefined();
  });

  test('a client that ends its side still gets its answers, then the connection ends', async () => {
    const { port } = await startServer();
    const client = new TcpClient(port);
    client.socket.end(Buffer.concat([frame(QUERY), frame(QUERY)]));
    expect(await client.answers(2)).toHaveLength(2);
    expect(await client.closed).toBe(true);
  });

  test('a connection without a query for ten seconds is closed; each answer gives it ten more', async () => {
    const { port, clock } = await startServer();
    const client = new TcpClient(port);
    for (let round = 0; round < 3; round++) {
      await client.ask();
      await clock.advance(9_000);
    }
    expect(client.socket.destroyed).toBe(false);
    await clock.advance(1_000);
    expect(await client.closed).toBe(true);
  });

  test('bytes that trickle in do not prolong it', async () => {
    const { port, clock } = await startServer();
    const client = new TcpClient(port);
    await client.ask();
    await clock.advance(9_000);
    client.socket.write(shorts(100));
    // An answer to another connection proves that these bytes have been read.
    const other = new TcpClient(port);
    await other.ask();
    await clock.advance(1_000);
    expect(await client.closed).toBe(true);
  });

  test('a query longer than any is ends the connection', async () => {
    const { port } = await startServer();
    const client = new TcpClient(port);
    client.socket.write(shorts(4097));
    expect(await client.closed).toBe(true);
  });

  test('messages that deserve no answer are passed over', async () => {
    const { port } = await startServer();
    const client = new TcpClient(port);
    const response = buildQuery('alpha.devices.example.com', TYPE.A, { flags: 0x8000 });
    client.socket.write(Buffer.concat([shorts(0), frame(Buffer.of(1, 2)), frame(response), frame(QUERY)]));
    expect((await client.answers(1))[0]?.answers).toHaveLength(1);
  });

  test('a client that never reads is held back, and closed when its time is over', async () => {
    let answered = 0;
    const zones = [exampleZone({ records: Array.from({ length: 40 }, (_, index) => bigText(index)) })];
    const count = () => {
      answered += 1;
      return zones;
    };
    const { port, clock } = await startServer({ zones: count });
    const client = new TcpClient(port);
    client.socket.pause();
    const sent = 5_000;
    const query = frame(buildQuery('big.devices.example.com', TYPE.TXT));
    client.socket.write(Buffer.concat(Array.from({ length: sent }, () => query)));
    // 40 kB an answer: 200 MB in all, of which only what the kernel's buffers hold is ever made.
    const other = new TcpClient(port);
    for (let before = 0; before === 0 || before !== answered;) {
      before = answered;
      await other.ask();
      answered -= 1;
    }
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(sent / 2);
    await clock.advance(10_000);
    client.socket.resume();
    expect(await client.closed).toBe(true);
  });

  test('one address gets so many connections and no more, and gets them back when they close', async () => {
    const { port } = await startServer({ caps: { total: 3, perAddress: 2 } });
    const first = new TcpClient(port);
    const second = new TcpClient(port);
    for (const client of [first, second]) {
      await client.ask();
    }
    expect(await new TcpClient(port).closed).toBe(true);
    const elsewhere = new TcpClient(port, '127.0.0.2');
    await elsewhere.ask();
    expect(await new TcpClient(port, '127.0.0.3').closed).toBe(true);
    first.socket.end();
    expect(await first.closed).toBe(true);
    const again = new TcpClient(port);
    expect(await again.ask()).toBeDefined();
  });
});

describe('listening', () => {
  test('UDP and TCP share the port, on several addresses', async () => {
    const server = new DnsServer({ zones: () => [exampleZone()], clock: new VirtualClock(), log: silentLogger });
    closers.push(() => server.stop());
    const addresses = await server.start([LOCAL, { host: '127.0.0.2', port: 0 }]);
    expect(addresses.map(({ host }) => host)).toEqual(['127.0.0.1', '127.0.0.2']);
    for (const { host, port } of addresses) {
      const client = udpClient();
      client.send(QUERY, port, host);
      expect((await nextDatagram(client)).rcode).toBe(RCODE.NOERROR);
    }
  });

  test('a port in use is told, and nothing stays open', async () => {
    const owner = createServer();
    owner.listen(0, '127.0.0.1');
    await once(owner, 'listening');
    closers.push(() => owner.close());
    const taken = addressOf(owner.address());
    const server = new DnsServer({ zones: () => [], clock: new VirtualClock(), log: silentLogger });
    const free = await startServer();
    await free.server.stop();
    const started = server.start([
      { host: '127.0.0.1', port: free.port },
      { host: '127.0.0.1', port: taken },
    ]);
    await expect(started).rejects.toMatchObject({ code: 'listener-failed' });
    const next = new DnsServer({ zones: () => [], clock: new VirtualClock(), log: silentLogger });
    closers.push(() => next.stop());
    expect(await next.start([{ host: '127.0.0.1', port: free.port }])).toHaveLength(1);
  });

  test('a port that UDP cannot have is given back by TCP', async () => {
    const socket = udpClient();
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const server = new DnsServer({ zones: () => [], clock: new VirtualClock(), log: silentLogger });
    const port = socket.address().port;
    await expect(server.start([{ host: '127.0.0.1', port }])).rejects.toThrow(/listen on 127\.0\.0\.1/);
    const probe = createServer();
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
  });

  test('a host name is refused: it could mean two addresses', async () => {
    const server = new DnsServer({ zones: () => [], clock: new VirtualClock(), log: silentLogger });
    await expect(server.start([{ host: 'localhost', port: 0 }])).rejects.toMatchObject({ code: 'listener-failed' });
    await server.stop();
  });

  test('stopping closes open connections and frees the port', async () => {
    const { server, port } = await startServer();
    const client = new TcpClient(port);
    await client.ask();
    await server.stop();
    expect(await client.closed).toBe(true);
    await server.stop();
  });
});

function bigText(index: number) {
  return { owner: 'big.devices.example.com', type: 'TXT' as const, data: String(index).padStart(1000, '.') };
}

function addressOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function fail(): never {
  throw new Error('a defect');
}

describe('an answer of many messages', () => {
  const KEY: TsigKey = { name: 'ns1', algorithm: 'hmac-sha256', secret: new Uint8Array(32) };
  const NAMES = 30_000;

  async function startPrimary() {
    const records = Array.from({ length: NAMES }, (_, index) => {
      return { owner: `n${index}.devices.example.com`, type: 'A', data: '10.0.0.1' } as const;
    });
    const zone = exampleZone({ records });
    const history = new ZoneHistory(zone, 10);
    const clock = new VirtualClock();
    const policy = { keys: [KEY], secondaries: [{ address: '127.0.0.1', keyName: 'ns1' }], rememberedChanges: 10 };
    const desk = new TransferDesk({ policy, histories: () => [history], nowMs: () => clock.nowMs() });
    const { port } = await startServer({ zones: () => [zone], desk: () => desk, clock });
    const { message } = sign(buildQuery('devices.example.com', TYPE.AXFR), { key: KEY, nowMs: clock.nowMs() });
    return { clock, port, message };
  }

  test('comes whole, piece after piece, and other questions behind it are answered', async () => {
    const { clock, port, message } = await startPrimary();
    const client = new TcpClient(port);
    client.socket.write(Buffer.concat([frame(message), frame(QUERY)]));
    const breathe = setInterval(() => void clock.advance(1), 1);
    closers.push(() => clearInterval(breathe));
    let [records, soas] = [0, 0];
    while (soas < 2) {
      const [reply] = await client.answers(1);
      records += reply!.answers.length;
      soas += reply!.answers.filter((line) => line.includes(' SOA ')).length;
    }
    expect(records).toBe(NAMES + 2 + 3 + 3);
    expect((await client.answers(1))[0]!.rcode).toBe(RCODE.NXDOMAIN);
  });

  test('is given up for a client that does not read', async () => {
    const { clock, port, message } = await startPrimary();
    const client = new TcpClient(port);
    client.socket.pause();
    client.socket.write(frame(message));
    // A question by UDP comes through meanwhile.
    const other = udpClient();
    other.send(QUERY, port, '127.0.0.1');
    expect((await nextDatagram(other)).rcode).toBe(RCODE.NXDOMAIN);
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    client.socket.resume();
    expect(await client.closed).toBe(true);
  });
});
