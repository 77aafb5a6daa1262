/** A name server for tests, over UDP and TCP, that can be as careless as the real ones that fail validation. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import dnsPacket from 'dns-packet';
import type { Answer, Packet, Question } from 'dns-packet';

export type Carelessness =
  | 'none'
  | 'no-soa'
  | 'no-aa'
  | 'foreign-soa'
  | 'lower-case'
  | 'refuses'
  | 'servfail'
  | 'silent'
  | 'garbage'
  | 'truncates'
  | 'other-question';

export const AUTHORITATIVE = 1 << 10;
export const TRUNCATED = 1 << 9;
const SOA = {
  mname: 'ns.devices.test',
  rname: 'ops.devices.test',
  serial: 1,
  refresh: 60,
  retry: 60,
  expire: 60,
  minimum: 30,
};

export class NameServerDouble {
  readonly zone = 'devices.test';
  readonly records: Answer[] = [];
  readonly asked: string[] = [];
  carelessness: Carelessness = 'none';
  tcpCount = 0;
  readonly #udp: Socket = createSocket('udp4');
  readonly #tcp: Server = createServer();

  /** @returns the port, the same for UDP and TCP. */
  async start(): Promise<number> {
    this.#tcp.on('connection', (connection) => {
      connection.once('data', (data) => {
        this.tcpCount += 1;
        const reply = this.#reply(data.subarray(2), false);
        if (reply === undefined) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        // In two pieces, as TCP may deliver it.
        connection.write(Buffer.concat([length, reply.subarray(0, 5)]));
        setImmediate(() => connection.end(reply.subarray(5)));
      });
    });
    await new Promise<void>((resolve) => this.#tcp.listen(0, '127.0.0.1', resolve));
    const address = this.#tcp.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise<void>((resolve) => this.#udp.bind(port, '127.0.0.1', resolve));
    this.#udp.on('message', (message, peer) => {
      const reply = this.#reply(message, true);
      if (reply !== undefined) this.#udp.send(reply, peer.port, peer.address);
    });
    return port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #reply(message: Buffer, isUdp: boolean): Buffer | undefined {
    const query = dnsPacket.decode(message);
    const question = query.questions?.[0];
    if (question === undefined || this.carelessness === 'silent') return undefined;
    this.asked.push(`${question.type} ${question.name}`);
    if (this.carelessness === 'garbage') return Buffer.concat([message.subarray(0, 12), Buffer.alloc(3, 0xff)]);
    if (this.carelessness === 'truncates' && isUdp) {
      return dnsPacket.encode({ ...base(query, question), flags: AUTHORITATIVE | TRUNCATED });
    }
    return dnsPacket.encode(this.#answer(query, question));
  }

  #answer(query: Packet, question: Question): Packet {
    const name = question.name.toLowerCase();
    const reply = base(query, this.#echo(question));
    if (this.carelessness === 'refuses' || !`.${name}`.endsWith(`.${this.zone}`)) return { ...reply, flags: 5 };
    if (this.carelessness === 'servfail') return { ...reply, flags: 2 };
    const flags = this.carelessness === 'no-aa' ? 0 : AUTHORITATIVE;
    const here = this.records.filter((record) => record.name === name);
    const answers = here.filter((record) => record.type === question.type || record.type === 'CNAME');
    if (answers.length > 0) return { ...reply, flags, answers };
    const exists =
      this.records.some((record) => record.name === name || record.name.endsWith(`.${name}`)) || name === this.zone;
    return { ...reply, flags: flags | (exists ? 0 : 3), authorities: this.#authorities() };
  }

  #echo(question: Question): Question {
    if (this.carelessness === 'lower-case') return { ...question, name: question.name.toLowerCase() };
    if (this.carelessness === 'other-question') return { ...question, type: 'A' };
    return question;
  }

  #authorities(): Answer[] {
    if (this.carelessness === 'no-soa') return [];
    const name = this.carelessness === 'foreign-soa' ? 'elsewhere.test' : this.zone;
    return [{ type: 'SOA', name, ttl: 30, data: SOA }];
  }
}

function base(query: Packet, question: Question): Packet {
  return { type: 'response', ...(query.id === undefined ? {} : { id: query.id }), questions: [question] };
}
