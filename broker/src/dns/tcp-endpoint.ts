/** Listens for DNS over TCP on one address. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import type { ConnectionCaps } from './connection-caps.ts';
import { TcpConnection, type TcpAnswer } from './tcp-connection.ts';

export interface TcpEndpointOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly caps: ConnectionCaps;
  readonly respond: (message: Buffer, address: string) => TcpAnswer;
}

export class TcpEndpoint {
  readonly #options: TcpEndpointOptions;
  readonly #connections = new Set<TcpConnection>();
  #server: Server | undefined;

  constructor(options: TcpEndpointOptions) {
    this.#options = options;
  }

  /** @returns the port, which is chosen when `port` is 0. */
  async open(host: string, port: number): Promise<number> {
    // Half open: a client may end its side behind its last query and still wait for the answers.
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // With `ipv6Only`, 0.0.0.0 and :: can be listened on side by side.
      server.listen({ host, port, ipv6Only: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // Out of file descriptors, for one: connections are lost, the listener stays.
    server.on('error', (error) => this.#options.log.warn({ error: error.message }, 'DNS over TCP: listener'));
    this.#server = server;
    return portOf(server.address());
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const { caps, clock, respond } = this.#options;
    const address = socket.remoteAddress;
    // Gone before we looked at it, or one too many: better none than all of them slow.
    if (address === undefined || !caps.enter(address)) {
      socket.destroy();
      return;
    }
    const connection = new TcpConnection({ socket, clock, respond: (message) => respond(message, address) });
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      caps.leave(address);
    });
    connection.start();
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
