/** A resolver on loopback that follows the aliases of a test into our own zone: other people's zones have CNAMEs. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket as Connection } from 'node:net';
import { decode, encode } from 'dns-packet';
import type { DecodedPacket, Question } from 'dns-packet';
import type { Endpoint } from '../../simulator/src/world/lan.ts';

const LOOPBACK = '127.0.0.1';
const TTL_SECONDS = 60;

export class AliasedDns {
  /** Where names lead, in lower case. */
  readonly aliases = new Map<string, string>();
  readonly #next: Endpoint;
  readonly #socket: Socket = createSocket('udp4');
  /** Pebble asks by TCP alone. */
  readonly #server: Server = createServer((connection) => this.#converse(connection));

  /** @param next who is asked for everything. */
  constructor(next: Endpoint) {
    this.#next = next;
  }

  async start(): Promise<Endpoint> {
    this.#socket.on('message', (message, { port, address }) => {
      this.#answer(message, (reply) => this.#socket.send(reply, port, address));
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, LOOPBACK, resolve));
    const { port } = this.#socket.address();
    this.#server.listen(port, LOOPBACK);
    await once(this.#server, 'listening');
    return { host: LOOPBACK, port };
  }

  async stop(): Promise<void> {
    this.#server.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  /** Each message has its length in front (RFC 1035 §4.2.2). */
  #converse(connection: Connection): void {
    let received = Buffer.alloc(0);
    connection.on('error', () => connection.destroy());
    connection.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        this.#answer(received.subarray(2, end), (reply) => connection.write(framed(reply)));
        received = received.subarray(end);
      }
    });
  }

  #answer(message: Buffer, reply: (bytes: Uint8Array) => void): void {
    const query = decode(message);
    const [question] = query.questions ?? [];
    const target = question && this.aliases.get(question.name.toLowerCase());
    if (question === undefined || target === undefined) return this.#ask(message, reply);
    // Whole, with its EDNS: the answer may be as large as who asks can take.
    const asked = encode({ ...query, questions: [{ ...question, name: target }] });
    this.#ask(asked, (answer) => reply(aliased(decode(answer), question, target)));
  }

  #ask(message: Uint8Array, onAnswer: (answer: Buffer) => void): void {
    const socket = createSocket('udp4');
    socket.once('message', (answer) => {
      socket.close();
      onAnswer(answer);
    });
    socket.once('error', () => socket.close());
    socket.connect(this.#next.port, this.#next.host, () => socket.send(message));
  }
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function aliased({ id, flags, answers, authorities }: DecodedPacket, question: Question, target: string): Buffer {
  const alias = { type: 'CNAME', name: question.name, ttl: TTL_SECONDS, data: target } as const;
  return encode({
    type: 'response',
    ...(id !== undefined && { id }),
    ...(flags !== undefined && { flags }),
    questions: [question],
    answers: [alias, ...(answers ?? [])],
    ...(authorities && { authorities }),
  });
}
