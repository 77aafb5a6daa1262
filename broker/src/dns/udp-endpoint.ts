/** Listens for DNS over UDP on one address. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '@lanyard/sdk/kernel';

export interface UdpEndpointOptions {
  readonly log: Logger;
  readonly respond: (message: Buffer, address: string) => Buffer | undefined;
}

/** Answers that wait for the network card. More means it cannot keep up, and a late answer is no answer. */
const MAX_WAITING_SENDS = 1000;
/** Room for a burst while the thread takes over a change; the kernel caps it at its own limit. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

export class UdpEndpoint {
  readonly #options: UdpEndpointOptions;
  #socket: Socket | undefined;

  constructor(options: UdpEndpointOptions) {
    this.#options = options;
  }

  async open(host: string, port: number): Promise<void> {
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      // Every address is a literal here: without this each answer takes a turn through the system's resolver.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    socket.on('error', (error) => this.#options.log.warn({ error: error.message }, 'DNS over UDP: listener'));
    socket.on('message', (message, remote) => this.#answer(socket, message, remote.port, remote.address));
    this.#socket = socket;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    await new Promise<void>((resolve) => {
      socket.close(() => resolve());
    });
  }

  #answer(socket: Socket, message: Buffer, port: number, address: string): void {
    // Nobody can receive at port 0: the source is forged. Closed: an answer would throw.
    if (port === 0 || this.#socket === undefined || socket.getSendQueueCount() >= MAX_WAITING_SENDS) return;
    const response = this.#options.respond(message, address);
    // An answer that cannot be sent is lost like any datagram; the resolver asks again. Nobody hears of it: a callback
    // would be a turn of the loop for each answer, and without one Node forgets what the kernel says.
    if (response !== undefined) socket.send(response, port, address);
  }
}
