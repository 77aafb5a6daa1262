/** A site's way out: connections that the broker sees as coming from the site's public address. */
import { Socket, connect } from 'node:net';
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
  readonly #isAnnounced: boolean;
  readonly #open = new Set<Socket>();
  #isCut = false;
  #nextPort = FIRST_PORT;

  /** @param isAnnounced whether the PROXY protocol header tells the broker the translated source; it must expect that. */
  constructor(site: Site, { isAnnounced = true }: { readonly isAnnounced?: boolean } = {}) {
    this.#site = site;
    this.#isAnnounced = isAnnounced;
  }

  /** The loopback address that its connections come from; undefined where there is only one. */
  get source(): string | undefined {
    return loopbackSource(this.#site.publicAddress);
  }

  /** Dials out through the NAT. */
  readonly dial = (host: string, port: number): Socket => {
    if (this.#isCut) return unreachable();
    const source = host.startsWith('127.') ? this.source : undefined;
    const socket = connect({ host, port, noDelay: true, ...(source !== undefined && { localAddress: source }) });
    if (this.#isAnnounced) socket.write(proxyHeader(this.#site.publicAddress, this.#translatedPort(), port));
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** What a router does when it restarts: every mapping is gone, in the middle of everything. */
  dropMappings(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** The line of the Internet provider is cut: nothing goes through until it is mended. */
  cut(): void {
    this.#isCut = true;
    this.dropMappings();
  }

  mend(): void {
    this.#isCut = false;
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
function loopbackSource(publicAddress: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return ['127', ...publicAddress.split('.').slice(1)].join('.');
}

/** Fails as soon as somebody can listen for it. */
function unreachable(): Socket {
  const socket = new Socket();
  const error = Object.assign(new Error('connect ENETUNREACH'), { code: 'ENETUNREACH' });
  queueMicrotask(() => socket.destroy(error));
  return socket;
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
