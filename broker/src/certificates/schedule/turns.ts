/** Whose turn it is: our own DNS first, then orders that are at the CA, then those that wait to be placed. */
import { DueQueue } from '../due-queue.ts';
import type { Short } from '../budget/placement-wish.ts';
import { isAtAuthority } from '../order-act.ts';
import type { Order } from '../order.ts';
import { Lanes } from './lanes.ts';
import type { LaneName } from './lanes.ts';
import { isUrgentAtMs, priorityOf } from './priority.ts';

/** Why an order is not going on this very moment. */
export type Outlook =
  | Pause
  /** `ahead` others of the same lane go before it. */
  | (Shortage & { readonly ahead: number })
  /** For its turn. */
  | { readonly kind: 'turn'; readonly ahead: number };

type Wait = Pause | Shortage;

type Pause =
  /** For its own next try. */
  | { readonly kind: 'pause'; readonly untilMs: number }
  /** For the CA, which is away or busy. */
  | { readonly kind: 'authority'; readonly untilMs: number };

/** For the budget. */
interface Shortage {
  readonly kind: 'budget';
  readonly untilMs: number;
  readonly short: Short;
}

/** When the CAs can be asked. */
export interface Doors {
  /** When an order that waits may be placed at one of them: now, or later. */
  placesAtMs(nowMs: number): number;
  /** When an order that is at this one may go on: now or before, or later. */
  actsAtMs(authority: string, nowMs: number): number;
}

export class Turns {
  readonly #doors: Doors;
  /** Orders whose next act is our own: a CA that is away does not keep records up. */
  readonly #own = new DueQueue<string>();
  /** By the CA that they were placed at: as many as there are CAs in the settings, or were. */
  readonly #atAuthority = new Map<string, DueQueue<string>>();
  /** Orders that wait: for the end of a pause, then in a lane, where they come back to when they become urgent. */
  readonly #waiting = new Map<string, Order>();
  /** Why an order rests alone, of those that do. */
  readonly #alone = new Map<string, Short>();
  readonly #comers = new DueQueue<string>();
  readonly #lanes = new Lanes<Short>();

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  /** The order goes on at `atMs`, wherever it was waiting before. */
  set(order: Order, atMs: number): void {
    const { id } = order;
    if (order.state.kind === 'waiting') {
      // One that takes its appliance's new key keeps its place.
      this.#waiting.set(id, order);
      this.#alone.delete(id);
      if (!this.#lanes.has(id)) this.#comers.set(id, atMs);
      return;
    }
    this.#forget(id);
    (isAtAuthority(order) ? this.#queueAt(authorityOf(order)) : this.#own).set(id, atMs);
  }

  /** The budget was short: the order's lane rests, or, when only its own name is concerned, the order alone. */
  rest(order: Order, short: Short, nowMs: number): void {
    this.#waiting.set(order.id, order);
    const isItsOwn = order.names.some((name) => short.bucket.subject.split(',').includes(name));
    if (isItsOwn) {
      this.#alone.set(order.id, short);
      return this.#comers.set(order.id, short.untilMs);
    }
    this.#lanes.rest(order.id, this.#laneOf(order, nowMs), short.untilMs, short);
    this.#watchUrgency(order, nowMs);
  }

  /** Takes out the next whose turn it is. */
  next(nowMs: number): string | undefined {
    const own = this.#own.takeDue(nowMs);
    if (own !== undefined) return own;
    for (const [authority, queue] of this.#atAuthority) {
      if (this.#doors.actsAtMs(authority, nowMs) > nowMs) continue;
      const id = queue.takeDue(nowMs);
      if (id !== undefined) return id;
    }
    return this.#doors.placesAtMs(nowMs) > nowMs ? undefined : this.#newcomer(nowMs);
  }

  /** When to look again, if nothing is set before; undefined when nothing waits. */
  nextMs(nowMs: number): number | undefined {
    const newcomerMs = Math.min(this.#comers.nextDueMs() ?? Infinity, this.#lanes.nextMs(nowMs) ?? Infinity);
    const atAuthorities = [...this.#atAuthority].map(([authority, queue]) =>
      Math.max(queue.nextDueMs() ?? Infinity, this.#doors.actsAtMs(authority, nowMs)),
    );
    const atMs = Math.min(
      this.#own.nextDueMs() ?? Infinity,
      Math.max(newcomerMs, this.#doors.placesAtMs(nowMs)),
      ...atAuthorities,
    );
    return atMs === Infinity ? undefined : atMs;
  }

  /** Of an order that is not under way, for people: counting who goes before it walks along its lane. */
  outlook(order: Order, nowMs: number): Outlook {
    const wait = this.#waitOf(order, nowMs);
    if (wait?.kind === 'pause' || wait?.kind === 'authority') return wait;
    const ahead = this.#lanes.ahead(order.id) ?? 0;
    return wait ? { ...wait, ahead } : { kind: 'turn', ahead };
  }

  /** Until when an order that is not under way has to wait whoever else does; undefined: only for its turn. */
  waitsUntilMs(order: Order, nowMs: number): number | undefined {
    return this.#waitOf(order, nowMs)?.untilMs;
  }

  #waitOf(order: Order, nowMs: number): Wait | undefined {
    const pausesUntilMs = 'notBeforeMs' in order.state ? order.state.notBeforeMs : nowMs;
    if (pausesUntilMs > nowMs) return { kind: 'pause', untilMs: pausesUntilMs };
    const opensAtMs = this.#opensAtMs(order, nowMs);
    if (opensAtMs > nowMs) return { kind: 'authority', untilMs: opensAtMs };
    const inLane = this.#lanes.outlook(order.id);
    const alone = this.#alone.get(order.id);
    const short = inLane?.why ?? alone;
    const untilMs = inLane?.restsUntilMs ?? alone?.untilMs ?? nowMs;
    // A rest that is over lasts until somebody looks at the lane, which may have to wait for acts under way.
    return short && untilMs > nowMs ? { kind: 'budget', untilMs, short } : undefined;
  }

  #opensAtMs(order: Order, nowMs: number): number {
    if (order.state.kind === 'waiting') return this.#doors.placesAtMs(nowMs);
    return isAtAuthority(order) ? this.#doors.actsAtMs(authorityOf(order), nowMs) : nowMs;
  }

  #queueAt(authority: string): DueQueue<string> {
    const queue = this.#atAuthority.get(authority) ?? new DueQueue<string>();
    this.#atAuthority.set(authority, queue);
    return queue;
  }

  #newcomer(nowMs: number): string | undefined {
    for (let id = this.#comers.takeDue(nowMs); id !== undefined; id = this.#comers.takeDue(nowMs)) {
      const order = this.#waiting.get(id);
      if (order === undefined) continue;
      this.#alone.delete(id);
      this.#lanes.put(id, this.#laneOf(order, nowMs));
      this.#watchUrgency(order, nowMs);
    }
    const id = this.#lanes.take(nowMs);
    if (id !== undefined) this.#forget(id);
    return id;
  }

  /** A renewal that waits for the budget becomes more urgent as its certificate grows old. */
  #watchUrgency({ id, purpose }: Order, nowMs: number): void {
    const urgentAtMs = isUrgentAtMs(purpose);
    if (urgentAtMs !== undefined && urgentAtMs > nowMs) this.#comers.set(id, urgentAtMs);
  }

  #laneOf({ purpose, names }: Order, nowMs: number): LaneName {
    const [first = ''] = names;
    return { priority: priorityOf(purpose, nowMs), zone: first.slice(first.indexOf('.') + 1) };
  }

  #forget(id: string): void {
    this.#waiting.delete(id);
    this.#alone.delete(id);
    this.#comers.delete(id);
    this.#lanes.delete(id);
  }
}

/** Empty: it was placed before there was more than one. */
function authorityOf({ placement }: Order): string {
  return placement?.authority ?? '';
}
