/** One client's TCP connection: queries in, answers out, both with a length before them (RFC 7766 §8). */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@lanyard/sdk/kernel';

export interface TcpConnectionOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  /** The answer to a message, or undefined when it deserves none. */
  readonly respond: (message: Buffer) => Buffer | undefined;
}

/** RFC 7766 §6.2.3 asks for seconds. Only an answered query prolongs it: bytes that trickle in do not. */
const IDLE_MS = 10_000;
/** A query has one name, EDNS options and perhaps padding (RFC 8467); far less than the 64 KiB of the prefix. */
const MAX_QUERY_BYTES = 4096;
const PREFIX_BYTES = 2;

const NOTHING: Buffer = Buffer.alloc(0);

export class TcpConnection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #respond: TcpConnectionOptions['respond'];
  /** What has come of the next query; at most one read beyond one query, as nothing is read while answers wait. */
  #pending = NOTHING;
  #isBlocked = false;
  #hasEnded = false;
  #lastAnswerMs = 0;
  #idleTimer: Timer | undefined;

  constructor({ socket, clock, respond }: TcpConnectionOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#respond = respond;
  }

  start(): void {
    this.#lastAnswerMs = this.#clock.monotonicMs();
    this.#watchIdle(IDLE_MS);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.#process();
    });
    this.#socket.on('end', () => {
      this.#hasEnded = true;
      this.#process();
    });
    this.#socket.on('drain', () => {
      this.#isBlocked = false;
      this.#socket.resume();
      this.#process();
    });
    // A reset is the client's way of leaving; `close` follows.
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => this.#idleTimer?.cancel());
  }

  /** Ends at once, answers under way included. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Answers every whole query that is there, in order, as long as the client takes the answers. */
  #process(): void {
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    while (!this.#isBlocked && this.#answerNext());
    this.#socket.uncork();
    if (this.#hasEnded && !this.#isBlocked && !this.#socket.destroyed) this.#socket.end();
  }

  /** @returns whether there may be another query behind. */
  #answerNext(): boolean {
    if (this.#pending.length < PREFIX_BYTES) return false;
    const length = this.#pending.readUInt16BE(0);
    if (length > MAX_QUERY_BYTES) {
      this.#socket.destroy();
      return false;
    }
    const end = PREFIX_BYTES + length;
    if (this.#pending.length < end) return false;
    const response = this.#respond(this.#pending.subarray(PREFIX_BYTES, end));
    this.#pending = this.#pending.length === end ? NOTHING : this.#pending.subarray(end);
    if (response !== undefined) this.#send(response);
    return true;
  }

  #send(response: Buffer): void {
    this.#lastAnswerMs = this.#clock.monotonicMs();
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + response.length);
    frame.writeUInt16BE(response.length, 0);
    response.copy(frame, PREFIX_BYTES);
    if (this.#socket.write(frame)) return;
    // The client does not read: neither do we, until it does or its time is over.
    this.#isBlocked = true;
    this.#socket.pause();
  }

  #watchIdle(delayMs: number): void {
    this.#idleTimer = this.#clock.setTimer(delayMs, () => {
      const remainingMs = this.#lastAnswerMs + IDLE_MS - this.#clock.monotonicMs();
      if (remainingMs > 0) this.#watchIdle(remainingMs);
      else this.#socket.destroy();
    });
  }
}
