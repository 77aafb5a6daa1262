/** Runs every open order from act to act: what the CA could not tell again is stored before the next act. */
import { LanyardError, deadline, describeError, randomId } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable, Timer } from '@lanyard/sdk/kernel';
import type { AuthorityOrder } from './authority.ts';
import { DueQueue } from './due-queue.ts';
import { act } from './order-act.ts';
import type { ActPorts, ActResult } from './order-act.ts';
import type { OrderStore } from './order-store.ts';
import { challengesOf, isClosed, isReadBack, next } from './order.ts';
import type { Order } from './order.ts';
import { renewalTime } from './renewal.ts';
import type { Acceptance, CertificateRequest } from './request.ts';
import type { CertificateWithChain } from './stored-certificate.ts';

export interface IssuanceSettings {
  /** How many acts may be under way at once. */
  readonly concurrency: number;
}

export interface IssuanceParts extends ActPorts {
  readonly store: OrderStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: IssuanceSettings;
}

/** What the issuer tells the rest of the broker. */
export interface IssuanceListener {
  issued(certificate: CertificateWithChain): void;
  /** The order goes on by itself; `order.state.notBeforeMs` says when. */
  failed(order: Order): void;
}

/** After a store that refused to save, the act is repeated; doubled each time, since the CA may be asked anew with it. */
const STORE_PAUSE_MS = 5_000;
const LONGEST_STORE_PAUSE_MS = 1_800_000;

/** What an act does not give up by itself is left behind when stopping: less than a service manager waits. */
const STOP_MS = 5_000;

export class Issuance implements Runnable {
  readonly #parts: IssuanceParts;
  /** Every open order as it stands now: as it was last stored, or further. */
  readonly #orders = new Map<string, Order>();
  readonly #queue = new DueQueue<string>();
  /** The same for orders that have not gone out to the CA: what is begun is finished before something new begins. */
  readonly #newcomers = new DueQueue<string>();
  readonly #running = new Map<string, Promise<void>>();
  /** Orders whose acts may have been done before, in an earlier life of this process; until they are stored again. */
  readonly #resumed = new Set<string>();
  /** How many times in a row an order could not be stored. */
  readonly #unstored = new Map<string, number>();
  /** Orders as the CA answered newOrder, until their next act: one request in eight need not be made. */
  readonly #placed = new Map<string, AuthorityOrder>();
  #stopping = new AbortController();
  #timer: Timer | undefined;
  #listener: IssuanceListener | undefined;

  constructor(parts: IssuanceParts) {
    this.#parts = parts;
  }

  onEvent(listener: IssuanceListener): void {
    this.#listener = listener;
  }

  /** Takes up every open order where it was left, and takes down records whose order is gone. */
  async start(): Promise<void> {
    const { store, log } = this.#parts;
    this.#stopping = new AbortController();
    const orders = await store.openOrders();
    await this.#clearStrays(orders);
    for (const order of orders) {
      this.#resumed.add(order.id);
      this.#schedule(order, dueMs(order));
    }
    if (orders.length > 0) log.info({ orders: orders.length }, 'open orders resumed');
    this.#pump();
  }

  /** Abandons acts under way; they are repeated at the next start. */
  async stop(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#timer?.cancel();
    this.#stopping.abort(new LanyardError('stopped'));
    using limit = deadline(clock, STOP_MS);
    const ended = Promise.all(this.#running.values()).then(() => true);
    const hasEnded = await Promise.race([ended, aborted(limit.signal).then(() => false)]);
    if (!hasEnded) log.warn({ acts: this.#running.size }, 'acts were left behind while stopping');
  }

  /** Stores the request durably, or finds it done or under way; the order is run from here on. */
  async request(request: Omit<CertificateRequest, 'orderId' | 'requestedAtMs'>): Promise<Acceptance> {
    const { store, clock, random } = this.#parts;
    const acceptance = await store.accept({ ...request, orderId: randomId(random), requestedAtMs: clock.nowMs() });
    if (acceptance.kind === 'accepted') {
      this.#schedule(acceptance.order, dueMs(acceptance.order));
      this.#pump();
    }
    return acceptance;
  }

  /** The open order as it stands now: it may be further than it was last stored. */
  openOrder(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  async #clearStrays(orders: readonly Order[]): Promise<void> {
    const { board, log } = this.#parts;
    const owned = new Set(orders.flatMap(challengesOf).map(({ name, value }) => `${name} ${value}`));
    for (const { name, value } of await board.list()) {
      if (owned.has(`${name} ${value}`)) continue;
      log.warn({ name }, 'challenge record without an order taken down');
      await board.clear(name, value);
    }
  }

  #schedule(order: Order, atMs: number): void {
    this.#orders.set(order.id, order);
    this.#queueOf(order).set(order.id, atMs);
  }

  #queueOf(order: Order): DueQueue<string> {
    return order.state.kind === 'waiting' ? this.#newcomers : this.#queue;
  }

  #pump(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, settings } = this.#parts;
    while (this.#running.size < settings.concurrency) {
      const id = this.#queue.takeDue(clock.nowMs()) ?? this.#newcomers.takeDue(clock.nowMs());
      if (id === undefined) break;
      const order = this.#orders.get(id);
      // One that is under way is queued again when it rests.
      if (order === undefined || this.#running.has(id)) continue;
      this.#running.set(id, this.#runAndRest(order));
    }
    this.#armTimer();
  }

  #armTimer(): void {
    const { clock, settings } = this.#parts;
    this.#timer?.cancel();
    const nextDueMs = Math.min(this.#queue.nextDueMs() ?? Infinity, this.#newcomers.nextDueMs() ?? Infinity);
    if (nextDueMs === Infinity || this.#running.size >= settings.concurrency) return;
    this.#timer = clock.setTimer(Math.max(0, nextDueMs - clock.nowMs()), () => this.#pump());
  }

  async #runAndRest(order: Order): Promise<void> {
    const goOnAtMs = await this.#run(order);
    this.#running.delete(order.id);
    const latest = this.#orders.get(order.id);
    if (latest && goOnAtMs !== undefined) this.#queueOf(latest).set(order.id, goOnAtMs);
    this.#pump();
  }

  /** Act after act, until the order has to wait or is closed. Tells when to go on with it. */
  async #run(first: Order): Promise<number | undefined> {
    const { clock } = this.#parts;
    let order = first;
    while (!isClosed(order) && dueMs(order) <= clock.nowMs()) {
      const stepped = await this.#step(order);
      if (this.#stopping.signal.aborted) return undefined;
      // Re-keyed by a new request between two acts: that one goes on in its place.
      if (this.#orders.get(order.id) !== order) return clock.nowMs();
      if (stepped === 'unstored') return clock.nowMs() + this.#storePause(order);
      // The new request is about to be scheduled; should its answer be lost, there is no hurry.
      if (stepped === 'replaced') return clock.nowMs() + STORE_PAUSE_MS;
      this.#unstored.delete(order.id);
      order = stepped;
      this.#orders.set(order.id, order);
    }
    if (!isClosed(order)) return dueMs(order);
    this.#orders.delete(order.id);
    return undefined;
  }

  #storePause({ id }: Order): number {
    const earlier = this.#unstored.get(id) ?? 0;
    this.#unstored.set(id, earlier + 1);
    return Math.min(STORE_PAUSE_MS * 2 ** Math.min(earlier, 30), LONGEST_STORE_PAUSE_MS);
  }

  /** One act, and the storing of the state after it. */
  async #step(order: Order): Promise<Order | 'unstored' | 'replaced'> {
    const { clock, random, store, log } = this.#parts;
    const isRepeat = this.#resumed.has(order.id) || ('tries' in order.state && order.state.tries > 0);
    const shown = this.#placed.get(order.id);
    this.#placed.delete(order.id);
    const context = { nowMs: clock.nowMs(), signal: this.#stopping.signal, isRepeat, shown };
    const result = await act(this.#parts, order, context);
    if (this.#stopping.signal.aborted) return 'unstored';
    const stepped = next(order, result.event, clock.nowMs(), random.uniform());
    try {
      const certificate = this.#certificateOf(order, result);
      if (certificate) await store.complete(stepped, certificate);
      else if (result.event.kind === 'failed' || !isReadBack(stepped)) {
        if (!(await store.save(stepped))) return 'replaced';
        this.#resumed.delete(order.id);
      }
      if (result.event.kind === 'ordered') this.#placed.set(order.id, result.event.order);
      this.#tell(stepped, result, certificate);
      return stepped;
    } catch (error) {
      log.error({ order: order.id, err: describeError(error) }, 'an order could not be stored; its act is repeated');
      this.#resumed.add(order.id);
      return 'unstored';
    }
  }

  #certificateOf(order: Order, { certificate }: ActResult): CertificateWithChain | undefined {
    if (certificate === undefined) return undefined;
    const { clock, random } = this.#parts;
    const { chain, issued } = certificate;
    const renewAtMs = renewalTime(issued, random.uniform(), clock.nowMs());
    const { deviceId, id: orderId, names } = order;
    return { ...issued, deviceId, orderId, names, chain, issuedAtMs: clock.nowMs(), renewAtMs };
  }

  #tell(order: Order, { event }: ActResult, certificate: CertificateWithChain | undefined): void {
    const { log } = this.#parts;
    const facts = { order: order.id, deviceId: order.deviceId, state: order.state.kind };
    if (certificate) {
      log.info({ ...facts, fingerprint: certificate.fingerprint, names: certificate.names }, 'certificate issued');
      this.#listener?.issued(certificate);
    } else if (event.kind === 'failed') {
      const nextTry = 'notBeforeMs' in order.state ? new Date(order.state.notBeforeMs).toISOString() : undefined;
      log.warn({ ...facts, code: event.code, reason: event.message, nextTry }, 'order delayed');
      this.#listener?.failed(order);
    } else {
      log.debug({ ...facts, event: event.kind }, 'order advanced');
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function dueMs(order: Order): number {
  return 'notBeforeMs' in order.state ? order.state.notBeforeMs : 0;
}
