/** The store as the broker holds it: its ports, carried out by the thread that owns the database. */
import type { Worker } from 'node:worker_threads';
import { LanyardError, type Clock, type Logger, type Runnable, type Timer } from '@lanyard/sdk/kernel';
import type { ForeignStore } from '../certificates/foreign/foreign-store.ts';
import type { OrderStore } from '../certificates/order-store.ts';
import type { RefusedKeyStore } from '../certificates/refused-keys.ts';
import type { ApplianceStore } from '../fleet/appliance-store.ts';
import type { AcmeDnsAccountStore } from './acme-dns-table.ts';
import type { Operations } from './operations.ts';
import { storePorts } from './store-ports.ts';
import { errorOf, type FromThread, type StoreAnswer, type StoreCall, type ToThread } from './thread-messages.ts';
import type { ZoneJournal } from './zone-statements.ts';

/** At up to 16 KiB a call these hold 64 MiB; more than that waiting means that the disk is not keeping up. */
const MOST_IN_FLIGHT = 4_096;

/** When a full store is worth another try. */
const FULL_RETRY_AFTER_MS = 1_000;

/** Opening may migrate a large database, or wait for the lock that a dying predecessor still holds. */
const OPENING_TIMEOUT_MS = 120_000;

/** A disk that has not flushed one group in this time is not going to: better to start again than to hang. */
const ANSWER_TIMEOUT_MS = 60_000;

/** What was asked for is written and the log folded into the database; then the thread is ended by force. */
const CLOSING_TIMEOUT_MS = 10_000;

export interface SqliteStoreOptions {
  /** Makes the worker that runs `thread.ts`, whose file only the caller knows: sources and builds name it differently. */
  readonly startThread: () => Worker;
  /** Of the database file. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The thread is gone or hangs, and every call fails from now on. Called at most once, never because of `stop`. */
  readonly onFailure: (error: LanyardError) => void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: LanyardError) => void;
}

type State =
  | { readonly kind: 'new' | 'stopped' | 'failed' }
  | { readonly kind: 'opening'; readonly thread: Thread; readonly start: Waiting }
  | { readonly kind: 'open'; readonly thread: Thread };

interface Thread {
  readonly worker: Worker;
  readonly exited: Promise<void>;
}

export class SqliteStore implements Runnable {
  readonly orders: OrderStore;
  readonly appliances: ApplianceStore;
  readonly refusedKeys: RefusedKeyStore;
  readonly zones: ZoneJournal;
  readonly foreign: ForeignStore;
  readonly acmeDns: AcmeDnsAccountStore;
  readonly #options: SqliteStoreOptions;
  readonly #inFlight = new Map<number, Waiting>();
  #state: State = { kind: 'new' };
  #watchdog: Timer | undefined;
  #lastId = 0;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    const ports = storePorts((operation, ...given) => {
      const asked = this.#ask({ id: ++this.#lastId, operation, given });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table that names it says what it answers
      return asked as Promise<ReturnType<Operations[typeof operation]>>;
    });
    this.orders = ports.orders;
    this.appliances = ports.appliances;
    this.zones = ports.zones;
    this.foreign = ports.foreign;
    this.acmeDns = ports.acmeDns;
    this.refusedKeys = ports.refusedKeys;
  }

  /** @throws LanyardError `store-failed` when the database cannot be opened. */
  async start(): Promise<void> {
    if (this.#state.kind !== 'new') throw new LanyardError('internal', { message: 'the store was started before' });
    const worker = this.#options.startThread();
    const exited = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
    worker.on('message', (message: FromThread) => this.#hear(message));
    worker.on('messageerror', (cause) => this.#fail('the database thread cannot be understood', cause));
    worker.on('error', (cause) => this.#fail('the database thread died', cause));
    worker.on('exit', () => this.#fail('the database thread ended'));
    await new Promise((resolve, reject) => {
      this.#state = { kind: 'opening', thread: { worker, exited }, start: { resolve, reject } };
      this.#watch(worker, OPENING_TIMEOUT_MS);
      tell(worker, { kind: 'open', path: this.#options.path });
    });
  }

  async stop(): Promise<void> {
    const state = this.#state;
    if (state.kind !== 'opening' && state.kind !== 'open') return;
    const stopped = new LanyardError('stopped', { message: 'the store is stopping' });
    this.#state = { kind: 'stopped' };
    this.#watchdog?.cancel();
    if (state.kind === 'opening') state.start.reject(stopped);
    const { worker, exited } = state.thread;
    tell(worker, { kind: 'close' });
    const timer = this.#options.clock.setTimer(CLOSING_TIMEOUT_MS, () => void worker.terminate());
    await exited;
    timer.cancel();
    this.#rejectAll(stopped);
  }

  #ask(call: StoreCall): Promise<unknown> {
    const state = this.#state;
    if (state.kind !== 'open') {
      const code = state.kind === 'stopped' ? 'stopped' : 'store-failed';
      return Promise.reject(new LanyardError(code, { message: 'the database is not open' }));
    }
    if (this.#inFlight.size >= MOST_IN_FLIGHT) {
      const message = `${MOST_IN_FLIGHT} operations are waiting for the database already`;
      return Promise.reject(new LanyardError('store-failed', { message, retryAfterMs: FULL_RETRY_AFTER_MS }));
    }
    return new Promise((resolve, reject) => {
      const { worker } = state.thread;
      // What cannot be cloned throws here, before it counts as in flight.
      tell(worker, { kind: 'call', ...call });
      if (this.#inFlight.size === 0) this.#watch(worker, ANSWER_TIMEOUT_MS);
      this.#inFlight.set(call.id, { resolve, reject });
    });
  }

  #hear(message: FromThread): void {
    const state = this.#state;
    switch (message.kind) {
      case 'answers':
        return this.#onAnswers(message.answers);
      case 'opened':
        if (state.kind !== 'opening') return;
        this.#watchdog?.cancel();
        this.#state = { kind: 'open', thread: state.thread };
        return state.start.resolve(undefined);
      case 'refused':
        if (state.kind !== 'opening') return;
        this.#watchdog?.cancel();
        this.#state = { kind: 'failed' };
        void state.thread.worker.terminate();
        return state.start.reject(errorOf(message.failure));
    }
  }

  #onAnswers(answers: readonly StoreAnswer[]): void {
    for (const answer of answers) {
      const waiting = this.#inFlight.get(answer.id);
      this.#inFlight.delete(answer.id);
      if (answer.kind === 'done') waiting?.resolve(answer.result);
      else waiting?.reject(errorOf(answer.failure));
    }
    this.#watchdog?.cancel();
    if (this.#inFlight.size > 0 && this.#state.kind === 'open') {
      this.#watch(this.#state.thread.worker, ANSWER_TIMEOUT_MS);
    }
  }

  #watch(worker: Worker, timeoutMs: number): void {
    this.#watchdog = this.#options.clock.setTimer(timeoutMs, () => {
      this.#fail(`the database thread gave no answer within ${timeoutMs / 1_000} s`);
      void worker.terminate();
    });
  }

  /** Whether an operation in flight was carried out is unknown; every one of them may be repeated. */
  #fail(message: string, cause?: unknown): void {
    const state = this.#state;
    if (state.kind !== 'opening' && state.kind !== 'open') return;
    this.#state = { kind: 'failed' };
    this.#watchdog?.cancel();
    const error = new LanyardError('store-failed', { message, cause });
    this.#rejectAll(error);
    if (state.kind === 'opening') return state.start.reject(error);
    this.#options.log.error({ err: cause }, message);
    this.#options.onFailure(error);
  }

  #rejectAll(error: LanyardError): void {
    for (const { reject } of this.#inFlight.values()) reject(error);
    this.#inFlight.clear();
  }
}

function tell(worker: Worker, message: ToThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of ours, not a window
  worker.postMessage(message);
}
