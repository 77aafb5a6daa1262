/** One step of an order: it is paid for, done and stored, in this order, and then told. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random } from '@lanyard/sdk/kernel';
import type { AuthorityOrder } from './authority.ts';
import { changesOfStep } from './budget/changes-of-step.ts';
import type { Short } from './budget/placement-wish.ts';
import type { AuthorityTerms } from './budget/rate-limit.ts';
import { act, isAtAuthority } from './order-act.ts';
import type { ActPorts, ActResult } from './order-act.ts';
import type { OrderStore } from './order-store.ts';
import { isReadBack, next } from './order.ts';
import type { Order, OrderEvent } from './order.ts';
import { firstLookMs } from './renewal/renewal-advice.ts';
import { renewalTime } from './renewal/renewal-time.ts';
import type { CaGate } from './schedule/ca-gate.ts';
import { leavingOf, priorityOf } from './schedule/priority.ts';
import type { CertificateWithChain } from './stored-certificate.ts';

export interface OrderStepsParts extends ActPorts {
  readonly store: Pick<OrderStore, 'place' | 'save' | 'complete'>;
  /** What the CA allows, and whether it is there. */
  readonly terms: AuthorityTerms;
  readonly gate: CaGate;
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
      return this.#needsPlacing(order) ? await this.#place(order) : await this.#act(order, signal);
    } catch (error) {
      this.#parts.log.error(
        { order: order.id, err: describeError(error) },
        'an order could not be stored; its act is repeated',
      );
      this.#resumed.add(order.id);
      return { kind: 'unstored' };
    }
  }

  /** Once for each newOrder, also for one whose answer was lost. */
  #needsPlacing({ id, state }: Order): boolean {
    const isPaid = (this.#paidUntilMs.get(id) ?? -Infinity) >= this.#parts.clock.nowMs();
    return state.kind === 'waiting' || (state.kind === 'ordering' && !isPaid);
  }

  /** Spends before anything is sent. */
  async #place(order: Order): Promise<Stepped> {
    const { store, clock, terms, log } = this.#parts;
    const nowMs = clock.nowMs();
    const leaving = leavingOf(priorityOf(order.purpose, nowMs));
    const placed = await store.place({ order, terms, registeredDomains: this.#domainsOf(order), nowMs, leaving });
    if (placed.kind === 'replaced') return placed;
    if (placed.kind === 'ahead') return { ...placed, kind: 'done', event: { kind: 'resumed' } };
    if (placed.kind === 'short') {
      const until = new Date(placed.untilMs).toISOString();
      log.debug({ order: order.id, limit: placed.bucket.limit, until }, 'an order waits for the budget');
      return { kind: 'short', short: placed };
    }
    this.#paidUntilMs.set(order.id, clock.nowMs() + PAID_FOR_MS);
    const { placement } = placed;
    return { kind: 'done', order: placed.order, event: { kind: 'placed', placement } };
  }

  async #act(order: Order, signal: AbortSignal): Promise<Stepped> {
    const { clock, random, gate } = this.#parts;
    const isRepeat = this.#resumed.has(order.id) || ('tries' in order.state && order.state.tries > 0);
    const shown = this.#shown.get(order.id);
    this.#shown.delete(order.id);
    if (isAtAuthority(order)) gate.pass(REQUESTS[order.state.kind]);
    this.#paidUntilMs.delete(order.id);
    const result = await act(this.#parts, order, { nowMs: clock.nowMs(), signal, isRepeat, shown });
    if (signal.aborted) return { kind: 'stopped' };
    if (isAtAuthority(order)) this.#noteAnswer(result.event);
    const stepped = next(order, result.event, clock.nowMs(), random.uniform());
    const issued = this.#certificateOf(order, result);
    if (!(await this.#store(order, result.event, stepped, issued))) return { kind: 'replaced' };
    if (result.event.kind === 'ordered') this.#shown.set(order.id, result.event.order);
    return { kind: 'done', order: stepped, event: result.event, ...(issued && { issued }) };
  }

  #noteAnswer(event: OrderEvent): void {
    const { gate } = this.#parts;
    if (event.kind !== 'failed') return gate.answered();
    if (event.code === 'authority-unreachable') return gate.away(event.retryAfterMs);
    if (event.limit === 'busy') return gate.busy(event.retryAfterMs ?? BUSY_MS);
    if (event.code !== 'store-failed' && event.code !== 'internal') gate.answered();
  }

  /** False: the order has another key by now. */
  async #store(order: Order, event: OrderEvent, stepped: Order, issued?: CertificateWithChain): Promise<boolean> {
    const { store, terms, clock } = this.#parts;
    const changes = changesOfStep({ order, event, stepped }, terms, this.#domainsOf(order), clock.nowMs());
    if (issued) await store.complete(stepped, issued, changes);
    else if (event.kind !== 'failed' && isReadBack(stepped)) return true;
    else if (!(await store.save(stepped, changes))) return false;
    this.#resumed.delete(order.id);
    return true;
  }

  #certificateOf(order: Order, { certificate }: ActResult): CertificateWithChain | undefined {
    if (certificate === undefined) return undefined;
    const { clock, random, terms } = this.#parts;
    const { chain, issued } = certificate;
    const issuedAtMs = clock.nowMs();
    const { deviceId, id: orderId, names, placement } = order;
    return {
      ...issued,
      deviceId,
      orderId,
      names,
      chain,
      issuedAtMs,
      authority: placement?.authority ?? terms.id,
      renewAtMs: renewalTime(issued, random.uniform(), issuedAtMs),
      ...(issued.renewalId !== undefined && { lookUpAtMs: firstLookMs(issuedAtMs, random.uniform()) }),
    };
  }

  #domainsOf({ names }: Order): readonly string[] {
    return names.map((name) => this.#parts.registeredDomainOf(name));
  }
}

/** About how many requests an act sends: two for an order of one name where it looks first. */
const REQUESTS: Partial<Record<Order['state']['kind'], number>> = { finalizing: 2, collecting: 2 };
