/** Orders (RFC 8555 §7.1.3). Their status is never kept: it follows from their parts, as in Boulder's sa/model.go. */
import { randomHex, type Random } from '@lanyard/sdk/kernel';
import type { AuthorizationStatus } from './authorizations.ts';
import { ExpiringStore } from './expiring-store.ts';
import { setKey } from './names.ts';
import type { ProblemDocument } from './problems.ts';

export interface Order {
  readonly id: string;
  /** Who wants what, as one key: the same for every order that the same request leads to. */
  readonly wish: string;
  readonly accountId: string;
  readonly profileName: string;
  readonly names: readonly string[];
  readonly authorizationIds: readonly string[];
  readonly expiresAtMs: number;
  /** `replaces` in its certificate's window: no limit was asked. */
  readonly isReplacing: boolean;
  /** What it replaces, in its window or not (RFC 9773 §5). */
  readonly replaces?: { readonly certId: string; readonly serial: string } | undefined;
  /** Finalize was accepted. */
  readonly isBegun: boolean;
  readonly certificateSerial?: string;
  /** Why issuing failed after finalize was accepted. */
  readonly problem?: ProblemDocument;
}

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

export function orderStatus(order: Order, authorizations: readonly AuthorizationStatus[], nowMs: number): OrderStatus {
  if (order.problem !== undefined) return 'invalid';
  if (order.certificateSerial !== undefined) return 'valid';
  if (order.expiresAtMs <= nowMs) return 'invalid';
  if (authorizations.some((status) => status !== 'valid' && status !== 'pending')) return 'invalid';
  if (authorizations.includes('pending')) return 'pending';
  return order.isBegun ? 'processing' : 'ready';
}

/** RFC 8555 §7.4 lets the client ask again after this; whole seconds are the least HTTP knows. */
export const PROCESSING_RETRY_SECONDS = 1;

/** A million appliances with two orders each in a classic order's life. */
const ORDER_LIMIT = 2_000_000;

export class Orders {
  readonly #random: Random;
  /** The newest order of each account, profile and set of names. */
  readonly #newest = new Map<string, string>();
  readonly #store: ExpiringStore<Order>;

  constructor(options: { readonly random: Random; readonly limit?: number | undefined }) {
    this.#random = options.random;
    this.#store = new ExpiringStore({
      limit: options.limit ?? ORDER_LIMIT,
      onForgotten: (order) => {
        if (this.#newest.get(order.wish) === order.id) this.#newest.delete(order.wish);
      },
    });
  }

  get size(): number {
    return this.#store.size;
  }

  get(id: string): Order | undefined {
    return this.#store.get(id);
  }

  /** The order that the same request led to last; whether it can still be used is for its status to say. */
  sameAs(wish: string): Order | undefined {
    return this.#store.get(this.#newest.get(wish) ?? '');
  }

  create(wanted: Omit<Order, 'id' | 'isBegun' | 'certificateSerial' | 'problem'>, nowMs: number): Order {
    const order: Order = { ...wanted, id: randomHex(this.#random, 10), isBegun: false };
    this.#store.add(order, nowMs);
    this.#newest.set(order.wish, order.id);
    return order;
  }

  begin(order: Order): Order {
    return this.#replace({ ...order, isBegun: true });
  }

  complete(order: Order, certificateSerial: string): Order {
    return this.#replace({ ...order, certificateSerial });
  }

  fail(order: Order, problem: ProblemDocument): Order {
    return this.#replace({ ...order, problem });
  }

  #replace(order: Order): Order {
    this.#store.update(order);
    return order;
  }
}

export interface OrderLinks {
  authorization(accountId: string, authorizationId: string): string;
  finalize(order: Order): string;
  certificate(serial: string): string;
}

/** RFC 8555 §7.1.3 as JSON. */
export function presentOrder(order: Order, status: OrderStatus, links: OrderLinks): object {
  return {
    status,
    expires: new Date(order.expiresAtMs).toISOString(),
    identifiers: order.names.map((value) => ({ type: 'dns', value })),
    authorizations: order.authorizationIds.map((id) => links.authorization(order.accountId, id)),
    finalize: links.finalize(order),
    profile: order.profileName,
    ...(order.replaces === undefined ? {} : { replaces: order.replaces.certId }),
    ...(order.problem === undefined ? {} : { error: order.problem }),
    ...(order.certificateSerial === undefined ? {} : { certificate: links.certificate(order.certificateSerial) }),
  };
}

export function wishOf(order: Pick<Order, 'accountId' | 'profileName' | 'names'>): string {
  return `${order.accountId} ${order.profileName} ${setKey(order.names)}`;
}
