/** The authoritative DNS server: UDP and TCP on the same addresses and ports, answering from the current zones. */
import { isIP } from 'node:net';
import { LanyardError, describeError, type Clock, type Logger } from '@lanyard/sdk/kernel';
import { ConnectionCaps, DNS_CONNECTION_CAPS, type ConnectionCapLimits } from './connection-caps.ts';
import type { Defence } from './defence.ts';
import { respond } from './respond.ts';
import type { TcpAnswer } from './tcp-connection.ts';
import { TcpEndpoint } from './tcp-endpoint.ts';
import type { Asker, TransferDesk } from './transfer-desk.ts';
import { UdpEndpoint } from './udp-endpoint.ts';
import type { Zone } from './zone.ts';

export interface ListenAddress {
  /** An IP literal: a host name could mean another address for UDP than for TCP. */
  readonly host: string;
  /** 0: any that is free for both. */
  readonly port: number;
}

export interface DnsServerOptions {
  /**
   * Asked anew for every query, so that what it returns is swapped in one step. Undefined: nothing is known yet, and
   * nothing is answered; a resolver asks again or elsewhere, whereas it would remember a refusal.
   */
  readonly zones: () => readonly Zone[] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly caps?: ConnectionCapLimits;
  /** Answers what is signed; undefined: signatures are passed over. */
  readonly desk?: () => TransferDesk | undefined;
  /** Against forged senders; undefined: there is none. */
  readonly defence?: () => Defence | undefined;
}

interface Endpoint {
  readonly address: ListenAddress;
  readonly udp: UdpEndpoint;
  readonly tcp: TcpEndpoint;
}

/** A port that TCP got and UDP did not is rare; ten in a row are no coincidence. */
const MAX_PORT_TRIES = 10;
/** A defect that anybody can trigger must not fill the disk with its log lines. */
const DEFECT_LOG_INTERVAL_MS = 60_000;

export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #caps: ConnectionCaps;
  #endpoints: readonly Endpoint[] = [];
  #nextDefectLogMs = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#caps = new ConnectionCaps(options.caps ?? DNS_CONNECTION_CAPS);
  }

  /**
   * @returns the addresses with their actual ports, in the order given.
   * @throws LanyardError `listener-failed`; then none is listened on.
   */
  async start(listeners: readonly ListenAddress[]): Promise<readonly ListenAddress[]> {
    try {
      for (const listener of listeners) this.#endpoints = [...this.#endpoints, await this.#open(listener)];
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this.#endpoints.map((endpoint) => endpoint.address);
  }

  async stop(): Promise<void> {
    const endpoints = this.#endpoints;
    this.#endpoints = [];
    await Promise.all(endpoints.flatMap(({ udp, tcp }) => [udp.close(), tcp.close()]));
  }

  async #open(listener: ListenAddress): Promise<Endpoint> {
    if (isIP(listener.host) === 0) throw listenerFailed(listener, new Error('not an IP address'));
    for (let tries = 1; ; tries++) {
      try {
        return await this.#openPair(listener);
      } catch (error) {
        if (listener.port !== 0 || tries >= MAX_PORT_TRIES) throw listenerFailed(listener, error);
      }
    }
  }

  async #openPair({ host, port }: ListenAddress): Promise<Endpoint> {
    const { clock, log } = this.#options;
    const tcp = new TcpEndpoint({
      clock,
      log,
      caps: this.#caps,
      respond: (message, address) => this.#respond(message, { transport: 'tcp', address }),
    });
    const udp = new UdpEndpoint({
      log,
      respond: (message, address) => oneMessage(this.#respond(message, { transport: 'udp', address })),
    });
    const actual = await tcp.open(host, port);
    try {
      await udp.open(host, actual);
    } catch (error) {
      await tcp.close();
      throw error;
    }
    return { address: { host, port: actual }, udp, tcp };
  }

  /** The last net under the parser and the zones: a defect there costs one answer, not the server. */
  #respond(message: Buffer, asker: Asker): TcpAnswer {
    const zones = this.#options.zones();
    if (zones === undefined) return undefined;
    try {
      const signed = this.#options.desk?.()?.answer(message, asker, zones);
      if (signed !== undefined) return Buffer.isBuffer(signed) ? signed : this.#guarded(signed);
      const defence = this.#options.defence?.();
      return respond(message, asker.transport, zones, { address: asker.address, defence });
    } catch (error) {
      this.#logDefect(error);
      return undefined;
    }
  }

  /** An answer of many messages is made while it is sent, long after `#respond` has returned. */
  *#guarded(messages: Iterable<Buffer>): Generator<Buffer> {
    try {
      yield* messages;
    } catch (error) {
      this.#logDefect(error);
    }
  }

  #logDefect(error: unknown): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#nextDefectLogMs) return;
    this.#nextDefectLogMs = nowMs + DEFECT_LOG_INTERVAL_MS;
    this.#options.log.error({ error: describeError(error) }, 'DNS: a query could not be answered');
  }
}

/** Only over TCP are there answers of many messages. */
function oneMessage(answer: TcpAnswer): Buffer | undefined {
  return Buffer.isBuffer(answer) ? answer : undefined;
}

function listenerFailed({ host, port }: ListenAddress, cause: unknown): LanyardError {
  return new LanyardError('listener-failed', {
    message: `DNS cannot listen on ${host} port ${port}: ${describeError(cause)}`,
    cause,
  });
}
