/** Runs every open order from act to act, each when it is its turn: what the CA could not tell again is stored before. */
import { LanyardError, endsWithin, randomId } from '@lanyard/sdk/kernel';
import type { Runnable, Timer } from '@lanyard/sdk/kernel';
import { alignBoard } from './align-board.ts';
import type { OrderStore, StandInWish } from './order-store.ts';
import { OrderSteps } from './order-steps.ts';
import type { OrderStepsParts, Stepped } from './order-steps.ts';
import { isClosed } from './order.ts';
import type { Order } from './order.ts';
import type { Acceptance, CertificateRequest } from './request.ts';
import { Turns } from './schedule/turns.ts';
import type { Outlook } from './schedule/turns.ts';
import type { CertificateWithChain } from './stored-certificate.ts';

export interface IssuanceSettings {
  /** How many acts may be under way at once. */
  readonly concurrency: number;
}

export interface IssuanceParts extends OrderStepsParts {
  readonly store: OrderStore;
  readonly settings: IssuanceSettings;
}

/** What the issuer tells the rest of the broker. */
export interface IssuanceListener {
  issued(certificate: CertificateWithChain): void;
  /** The order goes on by itself, not before `againAtMs`. */
  failed(order: Order, againAtMs: number): void;
}

/** After a store that refused to save, the act is repeated; doubled each time, since the CA may be asked anew with it. */
const STORE_PAUSE_MS = 5_000;
const LONGEST_STORE_PAUSE_MS = 1_800_000;

/** What an act does not give up by itself is left behind when stopping: less than a service manager waits. */
const STOP_MS = 5_000;

export class Issuance implements Runnable {
  readonly #parts: IssuanceParts;
  readonly #steps: OrderSteps;
  readonly #turns: Turns;
  /** Every open order as it stands now: as it was last stored, or further. */
  readonly #orders = new Map<string, Order>();
  readonly #running = new Map<string, Promise<void>>();
  /** How many times in a row an order could not be stored. */
  readonly #unstored = new Map<string, number>();
  #stopping = new AbortController();
  #timer: Timer | undefined;
  #listener: IssuanceListener | undefined;

  constructor(parts: IssuanceParts) {
    this.#parts = parts;
    this.#steps = new OrderSteps(parts);
    this.#turns = new Turns(parts.issuers);
  }

  onEvent(listener: IssuanceListener): void {
    this.#listener = listener;
  }

  /** Takes up every open order where it was left, and takes down records whose order is gone. */
  async start(): Promise<void> {
    const { store, board, log } = this.#parts;
    this.#stopping = new AbortController();
    const orders = await store.openOrders();
    await alignBoard(board, orders, log);
    for (const order of orders) {
      this.#steps.resume(order);
      this.#schedule(order);
    }
    if (orders.length > 0) log.info({ orders: orders.length }, 'open orders resumed');
    this.#pump();
  }

  /** Abandons acts under way; they are repeated at the next start. */
  async stop(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#timer?.cancel();
    this.#stopping.abort(new LanyardError('stopped'));
    const hasEnded = await endsWithin(clock, STOP_MS, Promise.all(this.#running.values()));
    if (!hasEnded) log.warn({ acts: this.#running.size }, 'acts were left behind while stopping');
  }

  /** Stores the request durably, or finds it done or under way; the order is run from here on. */
  async request(request: Omit<CertificateRequest, 'orderId' | 'requestedAtMs'>): Promise<Acceptance> {
    const { store, clock, random } = this.#parts;
    const acceptance = await store.accept({ ...request, orderId: randomId(random), requestedAtMs: clock.nowMs() });
    if (acceptance.kind === 'accepted') {
      this.#schedule(acceptance.order);
      this.#pump();
    }
    return acceptance;
  }

  /** Opens an order in place of an appliance that is away. Undefined: the facts have changed, and nothing is ordered. */
  async standIn(wish: Omit<StandInWish, 'orderId' | 'nowMs'>): Promise<Order | undefined> {
    const { store, clock, random } = this.#parts;
    const order = await store.standIn({ ...wish, orderId: randomId(random), nowMs: clock.nowMs() });
    if (order === undefined) return undefined;
    this.#schedule(order);
    this.#pump();
    return order;
  }

  /** The open order as it stands now: it may be further than it was last stored. */
  openOrder(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** Why the order is not going on this very moment; undefined when it is. */
  outlook(order: Order): Outlook | undefined {
    return this.#running.has(order.id) ? undefined : this.#turns.outlook(order, this.#parts.clock.nowMs());
  }

  /** Until when the order has to wait whoever else does; undefined: not known, or under way. */
  waitsUntilMs(order: Order): number | undefined {
    return this.#running.has(order.id) ? undefined : this.#turns.waitsUntilMs(order, this.#parts.clock.nowMs());
  }

  #schedule(order: Order): void {
    this.#orders.set(order.id, order);
    this.#turns.set(order, dueMs(order));
  }

  #pump(): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, settings } = this.#parts;
    while (this.#running.size < settings.concurrency) {
      const id = this.#turns.next(clock.nowMs());
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
    if (this.#running.size >= settings.concurrency) return;
    const nextMs = this.#turns.nextMs(clock.nowMs());
    if (nextMs === undefined) return;
    this.#timer = clock.setTimer(Math.max(0, nextMs - clock.nowMs()), () => this.#pump());
  }

  async #runAndRest(order: Order): Promise<void> {
    const goOnAtMs = await this.#run(order);
    this.#running.delete(order.id);
    const latest = this.#orders.get(order.id);
    if (latest && goOnAtMs !== undefined) this.#turns.set(latest, goOnAtMs);
    this.#pump();
  }

  /** Act after act, until the order has to wait or is closed. Tells when to go on; undefined: that is arranged already. */
  async #run(first: Order): Promise<number | undefined> {
    const { clock } = this.#parts;
    let order = first;
    while (!isClosed(order) && dueMs(order) <= clock.nowMs()) {
      const stepped = await this.#steps.step(order, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return undefined;
      // Re-keyed by a new request between two acts: that one goes on in its place.
      if (this.#orders.get(order.id) !== order) return clock.nowMs();
      if (stepped.kind !== 'done') return this.#restAfter(order, stepped);
      // A store that takes what is spent but not what is done is no store that works.
      if (stepped.event.kind !== 'placed') this.#unstored.delete(order.id);
      order = stepped.order;
      this.#orders.set(order.id, order);
      this.#tell(stepped);
    }
    if (!isClosed(order)) return dueMs(order);
    this.#orders.delete(order.id);
    return undefined;
  }

  #restAfter(order: Order, stepped: Exclude<Stepped, { kind: 'done' }>): number | undefined {
    const nowMs = this.#parts.clock.nowMs();
    switch (stepped.kind) {
      case 'short':
        this.#turns.rest(order, stepped.short, nowMs);
        return undefined;
      case 'shut':
        return stepped.untilMs;
      case 'unstored':
        return nowMs + this.#storePause(order);
      case 'replaced':
        // The new request is about to be scheduled; should its answer be lost, there is no hurry.
        return nowMs + STORE_PAUSE_MS;
      case 'stopped':
        return undefined;
    }
  }

  #storePause({ id }: Order): number {
    const earlier = this.#unstored.get(id) ?? 0;
    this.#unstored.set(id, earlier + 1);
    return Math.min(STORE_PAUSE_MS * 2 ** Math.min(earlier, 30), LONGEST_STORE_PAUSE_MS);
  }

  #tell({ order, event, issued }: Extract<Stepped, { kind: 'done' }>): void {
    const { log } = this.#parts;
    // A CA that does not decide has said nothing that failed: the order is given up all the same.
    const isGivenUp = order.state.kind === 'clearing' && order.state.aftermath.kind === 'again';
    const isUndecided = isGivenUp && event.kind !== 'left' && event.kind !== 'collected';
    const failure = event.kind === 'failed' ? event : isUndecided ? order.lastFailure : undefined;
    const facts = { order: order.id, deviceId: order.deviceId, state: order.state.kind };
    if (issued) {
      log.info({ ...facts, fingerprint: issued.fingerprint, names: issued.names }, 'certificate issued');
      this.#listener?.issued(issued);
    } else if (failure) {
      // An order that goes back to wait is due: what the CA asked for is kept by the budget.
      const pauseMs = event.kind === 'failed' && order.state.kind === 'waiting' ? (event.retryAfterMs ?? 0) : 0;
      const againAtMs = dueMs(order) + pauseMs;
      const nextTry = new Date(againAtMs).toISOString();
      log.warn({ ...facts, code: failure.code, reason: failure.message, nextTry }, 'order delayed');
      if (failure.code !== 'authority-replacement-refused') this.#listener?.failed(order, againAtMs);
    } else if (event.kind === 'left') {
      log.info({ ...facts, reason: event.message }, 'order leaves its CA for another');
    } else {
      log.debug({ ...facts, event: event.kind }, 'order advanced');
    }
  }
}

function dueMs(order: Order): number {
  return 'notBeforeMs' in order.state ? order.state.notBeforeMs : 0;
}
