/** One client's TCP connection: queries in, answers out, both with a length before them (RFC 7766 §8). */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@lanyard/sdk/kernel';

export interface TcpConnectionOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly respond: (message: Buffer) => TcpAnswer;
}

/** One message, many that are made while they are sent, or undefined when the question deserves none. */
export type TcpAnswer = Buffer | Iterable<Buffer> | undefined;

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
  /** What is left of an answer of many messages; later queries wait behind it. */
  #stream: Iterator<Buffer> | undefined;
  #breather: Timer | undefined;
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
      // Others get their turn: where the client is quick, the system would never return from a long answer.
      if (this.#stream === undefined) this.#unblock();
      else this.#breather = this.#clock.setTimer(0, () => this.#unblock());
    });
    // A reset is the client's way of leaving; `close` follows.
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => this.#release());
  }

  /** Ends at once, answers under way included. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Answers every whole query that is there, in order, as long as the client takes the answers. */
  #process(): void {
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    while (!this.#isBlocked && (this.#stream === undefined ? this.#answerNext() : this.#sendNext(this.#stream)));
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
    if (Buffer.isBuffer(response)) this.#send(response);
    else if (response !== undefined) this.#stream = response[Symbol.iterator]();
    return true;
  }

  /** @returns true: after the last message there may be another query. */
  #sendNext(stream: Iterator<Buffer>): boolean {
    const next = stream.next();
    if (next.done === true) this.#stream = undefined;
    else this.#send(next.value);
    return true;
  }

  #unblock(): void {
    this.#isBlocked = false;
    this.#socket.resume();
    this.#process();
  }

  #release(): void {
    this.#idleTimer?.cancel();
    this.#breather?.cancel();
    this.#stream?.return?.();
    this.#stream = undefined;
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
