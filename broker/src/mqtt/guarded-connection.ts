/** The stream that the MQTT engine sees: whole, checked packets one at a time on the way in, plain bytes on the way out. */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@lanyard/sdk/kernel';
import type { Caller } from './conversation.ts';
import type { FrameGuard, Violation } from './frame-guard.ts';

export interface GuardedConnectionParts {
  readonly socket: TLSSocket;
  readonly guard: FrameGuard;
  readonly peer: Caller;
  readonly clock: Clock;
  /** Called once, when the appliance has been accepted. */
  readonly onAccepted: () => void;
  readonly onViolation: (reason: Violation) => void;
}

/** How long a closed connection may take to swallow its last bytes, such as the refusal of a CONNECT. */
const LINGER_MS = 2000;

/** One of our largest messages; with more than that on its way the engine waits for the socket to drain. */
const UNSENT_BYTES = 16 * 1024;

export class GuardedConnection extends Duplex {
  readonly peer: Caller;
  readonly #parts: GuardedConnectionParts;
  #isAccepted = false;

  constructor(parts: GuardedConnectionParts) {
    // One packet a read: the engine would handle all packets of a larger chunk at once, in no certain order.
    super({ readableObjectMode: true, readableHighWaterMark: 1, writableHighWaterMark: UNSENT_BYTES });
    this.#parts = parts;
    this.peer = parts.peer;
  }

  /** Strangers' limits no longer apply. */
  accept(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.#parts.onAccepted();
  }

  override _construct(callback: (error?: Error | null) => void): void {
    const { socket, guard } = this.#parts;
    socket.on('data', (chunk: Buffer) => {
      socket.pause();
      guard.push(chunk);
      this.#pump();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.pause();
    callback();
    if (socket.destroyed) this.destroy();
  }

  override _read(): void {
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(chunk, callback);
  }

  /** The engine writes a packet in pieces: together they are one TLS record. */
  override _writev(pieces: readonly { readonly chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(pieces.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#parts.socket.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { socket, clock } = this.#parts;
    socket.removeAllListeners('data');
    // What still arrives is thrown away: unread bytes would turn the close into a reset that overtakes our last words.
    socket.resume();
    socket.destroySoon();
    if (!socket.destroyed) {
      const linger = clock.setTimer(LINGER_MS, () => socket.destroy());
      socket.once('close', () => linger.cancel());
    }
    callback(error);
  }

  #send(bytes: Buffer, callback: () => void): void {
    const { socket } = this.#parts;
    if (socket.write(bytes)) callback();
    else socket.once('drain', callback);
  }

  /** Answers one request to read: hands over one packet, or lets the socket bring more. */
  #pump(): void {
    const { socket, guard, onViolation } = this.#parts;
    if (this.destroyed) return;
    const frame = guard.next();
    switch (frame.kind) {
      case 'packet':
        this.push(frame.bytes);
        return;
      case 'wait':
        socket.resume();
        return;
      case 'violation':
        onViolation(frame.reason);
        socket.destroy();
        this.destroy();
        return;
    }
  }
}
