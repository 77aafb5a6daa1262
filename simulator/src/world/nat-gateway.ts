/** A site's way out: connections that the broker sees as coming from the site's public address. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Site } from './site.ts';

/** Ports that NATs hand out: the ephemeral range of RFC 6335. */
const FIRST_PORT = 49_152;
const LAST_PORT = 65_535;

const PROXY_V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2, command PROXY. */
const VERSION_AND_COMMAND = 0x21;
/** IPv4 over TCP. */
const TCP4 = 0x11;

export class NatGateway {
  readonly #site: Site;
  readonly #open = new Set<Socket>();
  readonly #source: { readonly localAddress?: string };
  #nextPort = FIRST_PORT;

  constructor(site: Site) {
    this.#site = site;
    this.#source = loopbackSource(site.publicAddress);
  }

  /** Dials out through the NAT: the PROXY protocol header tells the broker the translated source. */
  readonly dial = (host: string, port: number): Socket => {
    const socket = connect({ host, port, noDelay: true, ...this.#source });
    socket.write(proxyHeader(this.#site.publicAddress, this.#translatedPort(), port));
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** What a router does when it restarts: every mapping is gone, in the middle of everything. */
  dropMappings(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #translatedPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_PORT : port + 1;
    return port;
  }
}

/**
 * A loopback address of its own for each public one, where the whole of 127.0.0.0/8 is there: so that what counts by
 * the socket's address, below the PROXY header, meets many sources, too. macOS has 127.0.0.1 alone.
 */
function loopbackSource(publicAddress: string): { localAddress?: string } {
  if (process.platform !== 'linux') return {};
  return { localAddress: ['127', ...publicAddress.split('.').slice(1)].join('.') };
}

/** The header of PROXY protocol version 2 (haproxy's proxy-protocol.txt §2.2). */
function proxyHeader(source: string, sourcePort: number, destinationPort: number): Buffer {
  const addresses = Buffer.alloc(12);
  Buffer.from(source.split('.').map(Number)).copy(addresses, 0);
  Buffer.from([127, 0, 0, 1]).copy(addresses, 4);
  addresses.writeUInt16BE(sourcePort, 8);
  addresses.writeUInt16BE(destinationPort, 10);
  const fixed = Buffer.from([VERSION_AND_COMMAND, TCP4, 0, addresses.length]);
  return Buffer.concat([PROXY_V2_SIGNATURE, fixed, addresses]);
}
