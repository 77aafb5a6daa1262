/** Takes connections, from strangers and through load balancers, and hands on those whose TLS identity is proved. */
import { Socket, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Runnable, Timer } from '@lanyard/sdk/kernel';
import type { Caller } from './conversation.ts';
import { handshakeFault, tlsOptions } from './handshake.ts';
import type { ServerCredentials } from './handshake.ts';
import { peerOf } from './peer.ts';
import { receiveProxyHeader } from './receive-proxy-header.ts';
import { Repeats } from './repeats.ts';
import type { MqttSettings } from './settings.ts';
import { plainAddress } from './source-address.ts';
import { TrustedPeers } from './trusted-peers.ts';
import { WaitingRoom } from './waiting-room.ts';
import type { Place } from './waiting-room.ts';

/** A connection whose handshake is done. Strangers' limits apply to it until `accepted` is called. */
export interface Arrival {
  readonly socket: TLSSocket;
  readonly peer: Caller;
  readonly accepted: () => void;
}

export interface ListenerParts {
  readonly settings: MqttSettings;
  readonly credentials: ServerCredentials;
  readonly onArrival: (arrival: Arrival) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A connection that is not accepted yet. */
interface Stranger {
  readonly raw: Socket;
  readonly place: Place;
  readonly endpoint: string;
  sourceAddress: string;
  timer?: Timer;
}

export class Listener implements Runnable {
  readonly #parts: ListenerParts;
  readonly #trusted: TrustedPeers;
  readonly #room: WaitingRoom;
  readonly #repeats: Repeats;
  /** By remote address and port: how a finished handshake finds the connection that it belongs to. */
  readonly #strangers = new Map<string, Stranger>();
  /** For the log only: outlives the stranger. */
  readonly #sources = new WeakMap<Socket, string>();
  #credentials: ServerCredentials;
  #server: Server | undefined;
  #tls: TlsServer | undefined;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#trusted = new TrustedPeers(parts.settings.proxyPeers);
    this.#room = new WaitingRoom({ limits: parts.settings, clock: parts.clock });
    this.#repeats = new Repeats(parts.clock);
    this.#credentials = parts.credentials;
  }

  /** @throws LanyardError `listener-failed` when the address is taken or not ours. */
  async start(): Promise<void> {
    const { settings, log } = this.#parts;
    const { host, port } = settings;
    this.#tls = createTlsServer(tlsOptions(this.#credentials), (socket) => this.#finishHandshake(socket));
    this.#tls.on('tlsClientError', (error, socket) => this.#reportHandshake(error, socket));
    const server = createServer({ noDelay: true }, (raw) => this.#receive(raw));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const message = `MQTT could not listen on ${host} port ${port}: ${cause.message}`;
        reject(new LanyardError('listener-failed', { message, cause }));
      });
      server.listen(port, host, resolve);
    });
    // Too many open files and the like: one connection is lost, the server is not.
    server.on('error', (error) => log.error({ err: error.message }, 'MQTT could not take a connection'));
    this.#server = server;
  }

  /** Takes no more connections and drops those of strangers. */
  stop(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
    for (const { raw } of this.#strangers.values()) raw.destroy();
    return Promise.resolve();
  }

  /** Where it really listens; undefined when it does not. */
  address(): AddressInfo | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? (address ?? undefined) : undefined;
  }

  /** From the next handshake on. */
  setCredentials(credentials: ServerCredentials): void {
    this.#tls?.setSecureContext(tlsOptions(credentials));
    this.#credentials = credentials;
  }

  /** Connections that are not accepted yet. */
  waitingCount(): number {
    return this.#room.size;
  }

  #receive(raw: Socket): void {
    // Without a listener an error would end the process.
    raw.on('error', () => undefined);
    const { remoteAddress } = raw;
    if (remoteAddress === undefined) return void raw.destroy();
    const sourceAddress = plainAddress(remoteAddress);
    const place = this.#room.enter(() => this.#turnAway(raw, sourceAddress, 'waited longest in a full room'));
    if (place === undefined) return this.#turnAway(raw, sourceAddress, 'too many connections wait');
    const stranger: Stranger = { raw, place, endpoint: endpointOf(raw), sourceAddress };
    this.#strangers.set(stranger.endpoint, stranger);
    raw.once('close', () => this.#forget(stranger));
    if (!this.#trusted.has(sourceAddress)) return this.#beginHandshake(stranger);
    this.#setTimer(stranger, this.#parts.settings.proxyHeaderTimeoutMs, 'no PROXY protocol header in time');
    receiveProxyHeader(raw, (header) => {
      if (header.kind === 'malformed') {
        return this.#turnAway(raw, sourceAddress, `a load balancer sent ${header.reason}`);
      }
      stranger.sourceAddress = header.sourceAddress ?? sourceAddress;
      this.#beginHandshake(stranger);
    });
  }

  #beginHandshake(stranger: Stranger): void {
    const { raw, sourceAddress, place } = stranger;
    if (!place.moveTo(sourceAddress)) {
      return this.#turnAway(raw, sourceAddress, 'too many connections of this address wait');
    }
    this.#sources.set(raw, sourceAddress);
    this.#setTimer(stranger, this.#parts.settings.handshakeTimeoutMs, 'no TLS handshake in time');
    this.#tls?.emit('connection', raw);
  }

  #finishHandshake(socket: TLSSocket): void {
    const stranger = this.#strangers.get(endpointOf(socket));
    const peer = stranger && peerOf(socket, stranger.sourceAddress);
    if (stranger === undefined || peer === undefined) {
      socket.destroy();
      if (stranger) this.#report(stranger.sourceAddress, 'the client certificate names no appliance');
      return;
    }
    // Twice: once for CONNECT to arrive, once for the answer to it.
    this.#setTimer(stranger, 2 * this.#parts.settings.connectTimeoutMs, 'not accepted in time');
    this.#parts.onArrival({ socket, peer, accepted: () => this.#forget(stranger) });
  }

  #setTimer(stranger: Stranger, delayMs: number, reason: string): void {
    stranger.timer?.cancel();
    const { raw, sourceAddress } = stranger;
    stranger.timer = this.#parts.clock.setTimer(delayMs, () => this.#turnAway(raw, sourceAddress, reason));
  }

  #forget(stranger: Stranger): void {
    stranger.timer?.cancel();
    stranger.place.leave();
    if (this.#strangers.get(stranger.endpoint) === stranger) this.#strangers.delete(stranger.endpoint);
  }

  #turnAway(raw: Socket, sourceAddress: string, reason: string): void {
    raw.destroy();
    this.#report(sourceAddress, reason);
  }

  #reportHandshake(error: Error, socket: TLSSocket): void {
    // After a failed handshake the TLS socket has forgotten its address; the socket under it (a property of Node's
    // that is not documented) is known here. Should it vanish, a log line lacks its address and nothing else.
    const raw: unknown = Reflect.get(socket, '_parent');
    const sourceAddress = raw instanceof Socket ? this.#sources.get(raw) : undefined;
    this.#report(sourceAddress ?? 'unknown', handshakeFault(error, socket));
    socket.destroy();
  }

  #report(sourceAddress: string, reason: string): void {
    const { isDue, unlogged } = this.#repeats.note(`${sourceAddress} ${reason}`);
    if (isDue) this.#parts.log.warn({ sourceAddress, reason, unlogged }, 'MQTT connection refused');
  }
}

function endpointOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
