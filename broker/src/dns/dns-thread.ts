/** The broker's end of the DNS thread: every command ends in an acknowledgement or an error, within a time. */
import { LanyardError, describeError, type Clock, type Logger, type Timer } from '@lanyard/sdk/kernel';
import type { DefenceSettings } from './defence.ts';
import type { ListenAddress } from './server.ts';
import type { ZoneChange } from './served-zone.ts';
import type { ThreadCommand, ThreadReply, ThreadRequest } from './thread-messages.ts';
import type { TransferPolicy } from './transfer-policy.ts';
import type { ZoneSource } from './zone-source.ts';

/** What is needed of a `Worker` from node:worker_threads that runs `thread.ts`. */
export interface DnsWorker {
  postMessage(request: ThreadRequest): void;
  on(event: 'message', listener: (reply: ThreadReply) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<number>;
}

export interface DnsThreadOptions {
  readonly worker: DnsWorker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told once when the thread ends unasked. It does not come back: the process should end and be started anew. */
  readonly onFailure?: (error: LanyardError) => void;
}

type Settled = Exclude<ThreadReply, { readonly kind: 'log' | 'failed' }>;

interface Waiting {
  readonly resolve: (reply: Settled) => void;
  readonly reject: (error: LanyardError) => void;
  readonly timer: Timer;
}

/**
 * What `new Worker` is to be given. A zone is filled with what stays for ever: the less of it is copied from one half of
 * the young generation to the other, the better. With a million names it saves 80 MB.
 */
export const DNS_THREAD_LIMITS = { maxYoungGenerationSizeMb: 12 };

/** A change takes microseconds, a page of records milliseconds; a thread silent for this long is in trouble. */
const CHANGE_TIMEOUT_MS = 5_000;
/** Closing sockets waits for nobody. */
const STOP_TIMEOUT_MS = 2_000;
/** More changes than the CA's limits could ever ask for at once. */
const MAX_WAITING = 10_000;
/** When the thread has had time to catch up. */
const RETRY_AFTER_MS = 10_000;

export class DnsThread {
  readonly #options: DnsThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #state: 'new' | 'running' | 'stopping' | 'ended' = 'new';
  #lastId = 0;

  constructor(options: DnsThreadOptions) {
    this.#options = options;
  }

  /**
   * Listens; queries are answered from the first `serve` on.
   * @returns the addresses with their actual ports. @throws LanyardError `listener-failed`.
   */
  async start(
    listeners: readonly ListenAddress[],
    transfers?: TransferPolicy,
    defence?: DefenceSettings,
  ): Promise<readonly ListenAddress[]> {
    const { worker } = this.#options;
    worker.on('message', (reply) => this.#onReply(reply));
    worker.on('error', (error) => this.#onError(error));
    worker.on('exit', (code) => this.#onExit(code));
    this.#state = 'running';
    const allowed = { ...(transfers && { transfers }), ...(defence && { defence }) };
    const reply = await this.#request({ kind: 'listen', listeners, ...allowed }, CHANGE_TIMEOUT_MS);
    return reply.kind === 'listening' ? reply.addresses : [];
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    const stopped = this.#request({ kind: 'stop' }, STOP_TIMEOUT_MS);
    this.#state = 'stopping';
    await stopped.catch((error: unknown) => {
      this.#options.log.warn({ error: describeError(error) }, 'DNS thread: does not stop by itself');
    });
    this.#failAll(new LanyardError('stopped'));
    await this.#options.worker.terminate();
    this.#state = 'ended';
  }

  /** Makes `zones` all that is served, once they are there in whole. @throws LanyardError `dns-serving-failed`. */
  async serve(zones: readonly ZoneSource[]): Promise<void> {
    // Without their pages, which are functions and stay here.
    const outlines = zones.map(({ apex, serial, soa, nameServers }) => ({ apex, serial, soa, nameServers }));
    await this.#request({ kind: 'prepare', zones: outlines }, CHANGE_TIMEOUT_MS);
    for (const { apex, pages } of zones)
      for await (const page of pages) await this.#request({ kind: 'fill', apex, page }, CHANGE_TIMEOUT_MS);
    await this.#request({ kind: 'serve' }, CHANGE_TIMEOUT_MS);
  }

  /**
   * Resolves when every query sees the change. After a failure it may or may not be seen: apply it again.
   * @throws LanyardError `dns-serving-failed`, `dns-record-refused`.
   */
  async apply(change: ZoneChange): Promise<void> {
    await this.#request({ kind: 'change', change }, CHANGE_TIMEOUT_MS);
  }

  #request(command: ThreadCommand, timeoutMs: number): Promise<Settled> {
    if (this.#state !== 'running') return Promise.reject(new LanyardError('stopped'));
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(servingFailed('too many changes wait for it'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(servingFailed(`${command.kind}: no acknowledgement within ${timeoutMs} ms`));
      });
      this.#waiting.set(id, { resolve, reject, timer });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      this.#options.worker.postMessage({ ...command, id });
    });
  }

  #onReply(reply: ThreadReply): void {
    if (reply.kind === 'log') {
      this.#options.log[reply.level]({ ...reply.fields }, reply.message);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    // Too late: whoever asked has been told that it failed.
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    waiting.timer.cancel();
    if (reply.kind !== 'failed') waiting.resolve(reply);
    else waiting.reject(new LanyardError(reply.code, { message: reply.message }));
  }

  #onError(error: unknown): void {
    this.#options.log.error({ error: describeError(error) }, 'DNS thread: uncaught error');
  }

  #onExit(code: number): void {
    if (this.#state !== 'running') return;
    this.#state = 'ended';
    const error = servingFailed(`it ended with code ${code}`);
    this.#options.log.error({ code }, 'DNS thread: ended unasked');
    this.#failAll(error);
    this.#options.onFailure?.(error);
  }

  #failAll(error: LanyardError): void {
    for (const { reject, timer } of this.#waiting.values()) {
      timer.cancel();
      reject(error);
    }
    this.#waiting.clear();
  }
}

function servingFailed(why: string): LanyardError {
  return new LanyardError('dns-serving-failed', { message: `DNS thread: ${why}`, retryAfterMs: RETRY_AFTER_MS });
}
