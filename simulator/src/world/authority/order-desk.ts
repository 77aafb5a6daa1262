/** newOrder, orders, finalize and certificates (RFC 8555 §7.4). */
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import { describeError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { Account } from './accounts.ts';
import { authorizationStatus, type Authorizations } from './authorizations.ts';
import type { Background } from './background.ts';
import { chainPem, type Certificates } from './certificates.ts';
import type { Counters } from './counters.ts';
import { json, type Answer } from './exchange.ts';
import { requireAccount, type SignedRequest } from './gatekeeper.ts';
import { keyFingerprint } from './good-key.ts';
import type { Issuer } from './issuer.ts';
import { parse, parseJson } from './jws.ts';
import type { Links } from './links.ts';
import { acceptNames } from './names.ts';
import { orderStatus, presentOrder, type Order, type Orders, type OrderStatus } from './orders.ts';
import type { AuthorityPolicy, Profile } from './policy.ts';
import { Problem } from './problems.ts';
import { readSigningRequest, type SigningRequest } from './signing-request.ts';
import type { Validator } from './validation.ts';

export interface OrderDeskOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly orders: Orders;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly issuer: Issuer;
  readonly validator: Validator;
  readonly background: Background;
  readonly links: Links;
  readonly counters: Counters;
}

const NewOrder = z.object({
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
  profile: z.string().optional(),
  notBefore: z.string().optional(),
  notAfter: z.string().optional(),
});

const Finalize = z.object({ csr: z.base64url() });

export class OrderDesk {
  readonly #parts: OrderDeskOptions;

  constructor(options: OrderDeskOptions) {
    this.#parts = options;
  }

  newOrder(request: SignedRequest): Answer {
    const account = requireAccount(request);
    const wanted = parse(NewOrder, parseJson(request.payload, 'newOrder request'), 'newOrder request');
    if (wanted.notBefore !== undefined || wanted.notAfter !== undefined) {
      throw new Problem('malformed', 'NotBefore and NotAfter are not supported');
    }
    const profileName = wanted.profile ?? this.#parts.policy.defaultProfile;
    const profile = this.#profile(profileName);
    const names = acceptNames(wanted.identifiers, profile);
    const order = { accountId: account.id, profileName, names };
    return this.#present(this.#openOrder(order) ?? this.#createOrder(order, profile), 201);
  }

  order(request: SignedRequest, accountId: string, orderId: string): Answer {
    if (request.payload.length > 0) throw new Problem('malformed', 'POST-as-GET requests must have an empty payload');
    return this.#present(this.#find(requireAccount(request), accountId, orderId), 200);
  }

  async finalize(request: SignedRequest, accountId: string, orderId: string): Promise<Answer> {
    const account = requireAccount(request);
    const order = this.#find(account, accountId, orderId);
    const status = this.#status(order);
    if (status !== 'ready') {
      throw new Problem('orderNotReady', `Order's status ("${status}") is not acceptable for finalization`);
    }
    const { csr } = parse(Finalize, parseJson(request.payload, 'finalize request'), 'finalize request');
    const signingRequest = readSigningRequest(Buffer.from(csr, 'base64url'));
    this.#checkSigningRequest(signingRequest, order, account);
    const { asyncFinalizeMs } = this.#parts.policy;
    const issued = this.#parts.background.run(asyncFinalizeMs, (signal) => this.#issue(order, signingRequest, signal));
    const begun = this.#parts.orders.begin(order);
    if (asyncFinalizeMs === 0) await issued;
    return this.#present(this.#parts.orders.get(order.id) ?? begun, 200);
  }

  certificate(request: SignedRequest, serial: string): Answer {
    const account = requireAccount(request);
    if (request.payload.length > 0) throw new Problem('malformed', 'POST-as-GET requests must have an empty payload');
    const record = this.#parts.certificates.get(serial);
    if (record === undefined) throw new Problem('malformed', 'Certificate not found', { status: 404 });
    if (record.accountId !== account.id) {
      throw new Problem('unauthorized', 'Account in use did not issue specified certificate');
    }
    return { status: 200, content: { kind: 'chain', pem: chainPem(record) } };
  }

  #profile(name: string): Profile {
    const { profiles } = this.#parts.policy;
    const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
    if (profile === undefined) throw new Problem('invalidProfile', `Profile ${JSON.stringify(name)} not recognised`);
    return profile;
  }

  /** Boulder's ra.NewOrder: the same wish meets the same order as long as it can still be fulfilled. */
  #openOrder(wanted: Pick<Order, 'accountId' | 'profileName' | 'names'>): Order | undefined {
    const order = this.#parts.orders.sameAs(wanted);
    if (order === undefined || !['pending', 'ready'].includes(this.#status(order))) return undefined;
    this.#parts.counters.add('reusedOrders');
    return order;
  }

  #createOrder(wanted: Pick<Order, 'accountId' | 'profileName' | 'names'>, profile: Profile): Order {
    const { authorizations, counters, clock, orders } = this.#parts;
    const nowMs = clock.nowMs();
    const needed = wanted.names.map((name) => {
      const proof = { accountId: wanted.accountId, profileName: wanted.profileName, name };
      const reused = authorizations.reusable(proof, profile, nowMs);
      if (reused !== undefined) counters.add('reusedAuthorizations');
      return reused ?? authorizations.create(proof, profile, nowMs);
    });
    // As in Boulder, an order ends with the first of its authorizations.
    const expiresAtMs = Math.min(nowMs + profile.orderLifetimeMs, ...needed.map((one) => one.expiresAtMs));
    const order = orders.create({ ...wanted, authorizationIds: needed.map((one) => one.id), expiresAtMs }, nowMs);
    counters.add('orders');
    return order;
  }

  /** Another account's order does not exist as far as this account can tell, nor does one that ended. */
  #find(account: Account, accountId: string, orderId: string): Order {
    const order = this.#parts.orders.get(orderId);
    const isTheirs = order?.accountId === account.id && accountId === account.id;
    if (order === undefined || !isTheirs || order.expiresAtMs <= this.#parts.clock.nowMs()) {
      throw new Problem('malformed', `No order found for account ID ${account.id}`, { status: 404 });
    }
    return order;
  }

  #status(order: Order): OrderStatus {
    const nowMs = this.#parts.clock.nowMs();
    const statuses = order.authorizationIds.map((id) => {
      const authorization = this.#parts.authorizations.get(id);
      return authorization === undefined ? 'expired' : authorizationStatus(authorization, nowMs);
    });
    return orderStatus(order, statuses, nowMs);
  }

  #checkSigningRequest(request: SigningRequest, order: Order, account: Account): void {
    const fingerprint = keyFingerprint(request.publicKey);
    if (fingerprint === account.key.fingerprint) {
      throw new Problem('badCSR', 'certificate public key must be different than account key');
    }
    if (this.#parts.certificates.isBlocked(fingerprint)) {
      throw new Problem('badCSR', 'invalid public key in CSR: public key is forbidden');
    }
    if (request.names.join(' ') !== order.names.join(' ')) {
      throw new Problem('badCSR', 'CSR does not specify same identifiers as Order');
    }
  }

  async #issue(order: Order, request: SigningRequest, signal: AbortSignal): Promise<void> {
    const { certificates, clock, counters, issuer, log, orders } = this.#parts;
    const begun = { ...order, isBegun: true };
    try {
      await this.#recheckCaa(order, signal);
      const { validityMs } = this.#profile(order.profileName);
      const issued = issuer.issue({ ...request, names: order.names, validityMs });
      certificates.add(issued, order, clock.nowMs());
      orders.complete(begun, issued.serial);
      counters.add('certificates');
    } catch (error) {
      if (signal.aborted) return;
      counters.add('failedIssuances');
      if (!(error instanceof Problem)) log.error({ error: describeError(error) }, 'the model CA could not issue');
      const problem = error instanceof Problem ? error : new Problem('serverInternal', 'Error finalizing order');
      orders.fail(begun, problem.document());
    }
  }

  /** Boulder's checkOrderCAA: what CAA said when the name was proved serves for some hours only. */
  async #recheckCaa(order: Order, signal: AbortSignal): Promise<void> {
    const { authorizations, clock, links, policy, validator } = this.#parts;
    const staleBeforeMs = clock.nowMs() - policy.caaRecheckMs;
    const stale = order.authorizationIds.filter((id) => {
      const outcome = authorizations.get(id)?.outcome;
      return outcome?.kind === 'valid' && outcome.validatedAtMs < staleBeforeMs;
    });
    const names = stale.flatMap((id) => authorizations.get(id)?.name ?? []);
    const accountUrl = links.account(order.accountId);
    await Promise.all(names.map((name) => validator.recheckCaa({ name, accountUrl }, signal)));
  }

  #present(order: Order, httpStatus: number): Answer {
    const status = this.#status(order);
    const answer = {
      ...json(presentOrder(order, status, this.#parts.links), httpStatus),
      location: this.#parts.links.order(order),
    };
    // RFC 8555 §7.4 lets the client ask again after this; whole seconds are the least HTTP knows.
    return status === 'processing' ? { ...answer, retryAfterSeconds: 1 } : answer;
  }
}
