/** One step of an order: it is paid for, done and stored, in this order, and then told. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { AuthorityOrder } from './authority.ts';
import { changesOfStep } from './budget/changes-of-step.ts';
import type { Short } from './budget/placement-wish.ts';
import type { Choice, Issuer, Issuers } from './issuers.ts';
import { actAtAuthority, actAtBoard, isAtAuthority } from './order-act.ts';
import type { ActPorts, ActResult } from './order-act.ts';
import type { OrderStore } from './order-store.ts';
import { next } from './order-progress.ts';
import { isReadBack } from './order.ts';
import type { Order, OrderEvent } from './order.ts';
import { firstLookMs } from './renewal/renewal-advice.ts';
import { renewalTime } from './renewal/renewal-time.ts';
import { unattendedAt } from './renewal/stand-in.ts';
import { leavingOf, priorityOf } from './schedule/priority.ts';
import type { CertificateWithChain } from './stored-certificate.ts';

export interface OrderStepsParts extends Omit<ActPorts, 'authority'> {
  readonly store: Pick<OrderStore, 'place' | 'save' | 'complete'>;
  readonly issuers: Issuers;
  /** eTLD+1 of a name by the Public Suffix List, as CAs count. */
  readonly registeredDomainOf: (name: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What became of a step. */
export type Stepped =
  | {
      readonly kind: 'done';
      readonly order: Order;
      readonly event: OrderEvent | { readonly kind: 'resumed' };
      readonly issued?: CertificateWithChain;
    }
  /** The budget has no room yet; nothing was done. */
  | { readonly kind: 'short'; readonly short: Short }
  /** No CA can be asked before `untilMs`; nothing was done. */
  | { readonly kind: 'shut'; readonly untilMs: number }
  /** The store refused: what was done is done again. */
  | { readonly kind: 'unstored' }
  /** The appliance's new key took the order's place. */
  | { readonly kind: 'replaced' }
  /** The broker is stopping: what was done is done again in its next life. */
  | { readonly kind: 'stopped' };

/** While a CA that is busy does not say for how long. */
const BUSY_MS = 10_000;

/** One that waits longer at the gate is paid for anew: the CA would count it later than our books do. */
const PAID_FOR_MS = 10_000;

export class OrderSteps {
  readonly #parts: OrderStepsParts;
  /** Orders whose acts may have been done before, in an earlier life of this process; until they are stored again. */
  readonly #resumed = new Set<string>();
  /** Orders whose next newOrder is paid for, and until when it has to be sent. */
  readonly #paidUntilMs = new Map<string, number>();
  /** Orders as the CA answered newOrder, until their next act: one request in eight need not be made. */
  readonly #shown = new Map<string, AuthorityOrder>();

  constructor(parts: OrderStepsParts) {
    this.#parts = parts;
  }

  /** The order comes from an earlier life. */
  resume({ id }: Order): void {
    this.#resumed.add(id);
  }

  async step(order: Order, signal: AbortSignal): Promise<Stepped> {
    try {
      return await this.#step(order, signal);
    } catch (error) {
      this.#parts.log.error(
        { order: order.id, err: describeError(error) },
        'an order could not be stored; its act is repeated',
      );
      this.#resumed.add(order.id);
      return { kind: 'unstored' };
    }
  }

  async #step(order: Order, signal: AbortSignal): Promise<Stepped> {
    const { issuers, clock } = this.#parts;
    if (order.state.kind === 'waiting') {
      const choice = issuers.choose(order, clock.nowMs());
      return choice.kind === 'ask' ? await this.#place(order, choice) : { kind: 'shut', untilMs: choice.untilMs };
    }
    if (!isAtAuthority(order)) return await this.#act(order, signal, undefined);
    const prospect = issuers.prospect(order, clock.nowMs());
    if (prospect.kind === 'closed') return { kind: 'shut', untilMs: prospect.untilMs };
    if (prospect.kind === 'given-up') return await this.#leave(order, prospect.message);
    if (this.#needsPlacing(order)) return await this.#placeAgain(order, prospect.issuer);
    return await this.#act(order, signal, prospect.issuer);
  }

  /** For newOrder once more. What lost requests have used up is not waited for where another CA has room. */
  async #placeAgain(order: Order, issuer: Issuer): Promise<Stepped> {
    const { issuers } = this.#parts;
    const placed = await this.#place(order, { among: [issuer], untilMs: Infinity });
    const isLeft = placed.kind === 'short' && issuers.ranked.length > 1;
    return isLeft ? await this.#leave(order, 'lost requests have used up what the CA allows') : placed;
  }

  /** Once for each newOrder, also for one whose answer was lost. */
  #needsPlacing({ id, state }: Order): boolean {
    const isPaid = (this.#paidUntilMs.get(id) ?? -Infinity) >= this.#parts.clock.nowMs();
    return state.kind === 'ordering' && !isPaid;
  }

  /** Spends before anything is sent. */
  async #place(order: Order, { among, untilMs }: Asked): Promise<Stepped> {
    const [first, ...others] = among;
    const { store, clock, log, issuers } = this.#parts;
    const nowMs = clock.nowMs();
    const placed = await store.place({
      order,
      terms: first.terms,
      others: others.map(({ terms }) => terms),
      isRehearsal: !issuers.ranked.includes(first),
      registeredDomains: this.#domainsOf(order),
      nowMs,
      leaving: leavingOf(priorityOf(order.purpose, nowMs)),
    });
    if (placed.kind === 'replaced') return placed;
    if (placed.kind === 'ahead') return { ...placed, kind: 'done', event: { kind: 'resumed' } };
    if (placed.kind === 'short') {
      const short = { ...placed, untilMs: Math.min(placed.untilMs, untilMs) };
      const until = new Date(short.untilMs).toISOString();
      log.debug({ order: order.id, limit: placed.bucket.limit, until }, 'an order waits for the budget');
      return { kind: 'short', short };
    }
    this.#paidUntilMs.set(order.id, clock.nowMs() + PAID_FOR_MS);
    const { placement } = placed;
    return { kind: 'done', order: placed.order, event: { kind: 'placed', placement } };
  }

  /** @param issuer undefined: the act is our own DNS's. */
  async #act(order: Order, signal: AbortSignal, issuer: Issuer | undefined): Promise<Stepped> {
    const { clock, random } = this.#parts;
    const isRepeat = this.#resumed.has(order.id) || ('tries' in order.state && order.state.tries > 0);
    const shown = this.#shown.get(order.id);
    this.#shown.delete(order.id);
    issuer?.gate.pass(REQUESTS[order.state.kind]);
    this.#paidUntilMs.delete(order.id);
    const context = { nowMs: clock.nowMs(), signal, isRepeat, shown };
    const result = issuer
      ? await actAtAuthority({ ...this.#parts, authority: issuer.authority }, order, context)
      : await actAtBoard(this.#parts, order);
    if (signal.aborted) return { kind: 'stopped' };
    if (issuer) noteAnswer(issuer, result.event);
    const event = this.#withOther(order, result.event);
    const stepped = next(order, event, clock.nowMs(), random.uniform());
    const issued = this.#certificateOf(order, result);
    if (!(await this.#store(order, event, stepped, issued))) return { kind: 'replaced' };
    if (event.kind === 'ordered') this.#shown.set(order.id, event.order);
    return { kind: 'done', order: stepped, event, ...(issued && { issued }) };
  }

  async #leave(order: Order, message: string): Promise<Stepped> {
    const { clock, random } = this.#parts;
    const event: OrderEvent = { kind: 'left', message };
    const stepped = next(order, event, clock.nowMs(), random.uniform());
    this.#shown.delete(order.id);
    this.#paidUntilMs.delete(order.id);
    if (!(await this.#store(order, event, stepped))) return { kind: 'replaced' };
    return { kind: 'done', order: stepped, event };
  }

  #withOther(order: Order, event: OrderEvent): OrderEvent {
    const { issuers, clock } = this.#parts;
    return event.kind === 'failed' ? { ...event, hasOther: issuers.hasOtherFor(order, clock.nowMs()) } : event;
  }

  /** False: the order has another key by now. */
  async #store(order: Order, event: OrderEvent, stepped: Order, issued?: CertificateWithChain): Promise<boolean> {
    const { store, issuers, clock } = this.#parts;
    const terms = issuers.of(order)?.terms;
    // What was spent at a CA that is in the settings no more is nobody's concern.
    const changes = terms ? changesOfStep({ order, event, stepped }, terms, this.#domainsOf(order), clock.nowMs()) : [];
    if (issued) await store.complete(stepped, issued, changes);
    else if (event.kind !== 'failed' && isReadBack(stepped)) return true;
    else if (!(await store.save(stepped, changes))) return false;
    this.#resumed.delete(order.id);
    return true;
  }

  #certificateOf(order: Order, { certificate }: ActResult): CertificateWithChain | undefined {
    const { placement } = order;
    if (certificate === undefined || placement?.isRehearsal === true) return undefined;
    const { clock, random, issuers } = this.#parts;
    const { chain, issued } = certificate;
    const issuedAtMs = clock.nowMs();
    const { deviceId, id: orderId, names, asleepSinceMs } = order;
    const renewAtMs = renewalTime(issued, random.uniform(), issuedAtMs);
    return {
      ...issued,
      deviceId,
      orderId,
      names,
      chain,
      issuedAtMs,
      authority: placement?.authority ?? issuers.of(order)?.terms.id ?? '',
      renewAtMs,
      unattendedAtMs: unattendedAt({ ...issued, renewAtMs }),
      ...(asleepSinceMs !== undefined && { asleepSinceMs }),
      ...(issued.renewalId !== undefined && { lookUpAtMs: firstLookMs(issuedAtMs, random.uniform()) }),
    };
  }

  #domainsOf({ names }: Order): readonly string[] {
    return names.map((name) => this.#parts.registeredDomainOf(name));
  }
}

type Asked = Omit<Extract<Choice, { kind: 'ask' }>, 'kind'>;

function noteAnswer({ gate }: Issuer, event: OrderEvent): void {
  if (event.kind !== 'failed') return gate.answered();
  if (event.code === 'authority-unreachable') return gate.away(event.retryAfterMs);
  if (event.limit === 'busy') return gate.busy(event.retryAfterMs ?? BUSY_MS);
  if (event.code !== 'store-failed' && event.code !== 'internal') gate.answered();
}

/** About how many requests an act sends: two for an order of one name where it looks first. */
const REQUESTS: Partial<Record<Order['state']['kind'], number>> = { finalizing: 2, collecting: 2 };
