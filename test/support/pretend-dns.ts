/** A DNS server over UDP on loopback that says what a test wants. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import type { Packet, Question } from 'dns-packet';

/** What it says beside the question, or the address of whoever is to be asked instead. */
export type Say = (question: Question) => Partial<Packet> | { readonly forwardTo: Endpoint };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';

export class PretendDns {
  readonly #socket: Socket = createSocket('udp4');
  readonly #say: Say;

  constructor(say: Say) {
    this.#say = say;
  }

  async start(): Promise<Endpoint> {
    this.#socket.on('message', (message, peer) => {
      const { id, questions = [] } = decode(message);
      const [question] = questions;
      if (question === undefined) return;
      const reply = (bytes: Buffer): void => this.#socket.send(bytes, peer.port, peer.address);
      const said = this.#say({ ...question, name: question.name.toLowerCase() });
      if ('forwardTo' in said) forward(message, said.forwardTo, reply);
      else reply(encode({ type: 'response', ...(id !== undefined && { id }), questions, ...said }));
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, LOOPBACK, resolve));
    return { host: LOOPBACK, port: this.#socket.address().port };
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

function forward(message: Buffer, { host, port }: Endpoint, reply: (bytes: Buffer) => void): void {
  const socket = createSocket('udp4');
  socket.once('message', (answer) => {
    reply(answer);
    socket.close();
  });
  socket.once('error', () => socket.close());
  socket.connect(port, host, () => socket.send(message));
}
