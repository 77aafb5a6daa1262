/** The rules of orders, from the wish to the certificate (RFC 8555 §7.4; Boulder's wfe2 and ra). No door knows them. */
import { describeError, type Clock, type Logger } from '@lanyard/sdk/kernel';
import type { Account } from './accounts.ts';
import type { AuthorityEvent } from './authority-event.ts';
import { authorizationStatus, type AuthorizationStatus, type Authorizations } from './authorizations.ts';
import type { Background } from './background.ts';
import type { CertificateDraft, CertificateMaker } from './certificate-maker.ts';
import type { CertificateRecord, Certificates } from './certificates.ts';
import type { Counters } from './counters.ts';
import type { Faults } from './faults.ts';
import type { IssuedSets } from './issued-sets.ts';
import type { Limiter } from './limiter.ts';
import type { Links } from './links.ts';
import { acceptNames, checkNumber, setKey, type Identifier } from './names.ts';
import { orderStatus, wishOf, type Order, type Orders, type OrderStatus } from './orders.ts';
import type { Pausing } from './pausing.ts';
import type { AuthorityPolicy } from './policy.ts';
import { Problem } from './problems.ts';
import type { Profiles } from './profiles.ts';
import type { Renewing } from './renewing.ts';
import type { Validator } from './validation.ts';
import { expiredValidity, validityFrom } from './validity.ts';

export interface OrderingParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly profiles: Profiles;
  readonly orders: Orders;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly issuedSets: IssuedSets;
  readonly limiter: Limiter;
  readonly pausing: Pausing;
  readonly renewing: Renewing;
  readonly maker: CertificateMaker;
  readonly faults: Faults;
  readonly validator: Validator;
  readonly background: Background;
  readonly links: Links;
  readonly counters: Counters;
  readonly tell: (event: AuthorityEvent) => void;
}

export interface OrderWish {
  readonly identifiers: readonly Identifier[];
  readonly profile?: string | undefined;
  /** An ARI certID. */
  readonly replaces?: string | undefined;
}

type NewOrder = Pick<Order, 'wish' | 'accountId' | 'profileName' | 'names' | 'isReplacing' | 'replaces'>;

export class Ordering {
  readonly #parts: OrderingParts;

  constructor(parts: OrderingParts) {
    this.#parts = parts;
  }

  /** In Boulder's order: form, pauses, `replaces`, profile, limits, and only then the order that may be there already. */
  place(account: Account, wish: OrderWish): Order {
    const { clock, issuedSets, limiter, pausing, policy, profiles } = this.#parts;
    const names = acceptNames(wish.identifiers);
    const accountId = account.id;
    pausing.check(accountId, names);
    const replaced = this.#checkReplacement(wish.replaces, accountId, names);
    const isReplacing = replaced?.isExempt ?? false;
    const set = setKey(names);
    const isRenewal = issuedSets.wasIssued(set, clock.nowMs());
    const profileName = wish.profile ?? policy.defaultProfile;
    profiles.get(profileName);
    const refund = isReplacing ? undefined : limiter.admitOrder({ accountId, names, set }, isRenewal);
    try {
      checkNumber(names, profiles.get(profileName));
      const replaces = replaced === undefined ? undefined : { certId: wish.replaces ?? '', serial: replaced.serial };
      const wanted = { accountId, profileName, names, isReplacing, replaces };
      const order = { ...wanted, wish: wishOf(wanted) };
      return this.#openOrder(order.wish) ?? this.#create(order, isRenewal);
    } catch (error) {
      refund?.();
      throw error;
    }
  }

  /**
   * Another account's order does not exist as far as this account can tell, nor does one that ended.
   * @throws Problem `malformed` (404)
   */
  find(account: Account, orderId: string): Order {
    const order = this.#parts.orders.get(orderId);
    if (order === undefined || order.accountId !== account.id || order.expiresAtMs <= this.#parts.clock.nowMs()) {
      throw new Problem('malformed', `No order found for account ID ${account.id}`, { status: 404 });
    }
    return order;
  }

  status(order: Order): OrderStatus {
    const nowMs = this.#parts.clock.nowMs();
    const statuses = order.authorizationIds.map((id): AuthorizationStatus => {
      const authorization = this.#parts.authorizations.get(id);
      return authorization === undefined ? 'expired' : authorizationStatus(authorization, nowMs);
    });
    return orderStatus(order, statuses, nowMs);
  }

  /** @returns the order as it is when the policy lets the answer out: `processing`, or done. */
  async finalize(account: Account, orderId: string, readRequest: () => Uint8Array): Promise<Order> {
    const { background, faults, maker, orders, policy } = this.#parts;
    const order = this.find(account, orderId);
    const status = this.status(order);
    if (status !== 'ready') {
      throw new Problem('orderNotReady', `Order's status ("${status}") is not acceptable for finalization`);
    }
    const draft = maker.readRequest(readRequest());
    this.#checkRequest(draft, order, account);
    const fault = faults.settings.certificate;
    const issued = background.run(policy.asyncFinalizeMs, (signal) => this.#issue(order, draft, fault, signal));
    const begun = orders.begin(order);
    if (policy.asyncFinalizeMs === 0) await issued;
    return orders.get(order.id) ?? begun;
  }

  /** @throws Problem `malformed` (404) | `unauthorized` */
  certificate(account: Account, serial: string): CertificateRecord {
    const record = this.#parts.certificates.get(serial);
    if (record === undefined) throw new Problem('malformed', 'Certificate not found', { status: 404 });
    if (record.accountId !== account.id) {
      throw new Problem('unauthorized', 'Account in use did not issue specified certificate');
    }
    return record;
  }

  #checkReplacement(certId: string | undefined, accountId: string, names: readonly string[]) {
    if (certId === undefined) return undefined;
    return this.#parts.renewing.checkReplacement(certId, { accountId, names }, (id) => this.#isAlive(id));
  }

  /** Whether the order stands in the way of another one that replaces the same certificate. */
  #isAlive(orderId: string): boolean {
    const order = this.#parts.orders.get(orderId);
    return order !== undefined && this.status(order) !== 'invalid';
  }

  /** Boulder's ra.NewOrder: the same wish meets the same order as long as it can still be fulfilled. */
  #openOrder(wish: string): Order | undefined {
    const order = this.#parts.orders.sameAs(wish);
    if (order === undefined || !['pending', 'ready'].includes(this.status(order))) return undefined;
    this.#parts.counters.add('reusedOrders');
    return order;
  }

  #create(wanted: NewOrder, isRenewal: boolean): Order {
    const { authorizations, certificates, counters, clock, orders, profiles, tell } = this.#parts;
    const { accountId, isReplacing, names, profileName, replaces } = wanted;
    const nowMs = clock.nowMs();
    const profile = profiles.get(profileName);
    const needed = names.map((name) => {
      const proof = { accountId, profileName, name };
      const reused = authorizations.reusable(proof, profile, nowMs);
      if (reused !== undefined) counters.add('reusedAuthorizations');
      return reused ?? authorizations.create(proof, profile, nowMs);
    });
    // As in Boulder, an order ends with the first of its authorizations.
    const expiresAtMs = Math.min(nowMs + profile.orderLifetimeMs, ...needed.map((one) => one.expiresAtMs));
    const order = orders.create({ ...wanted, authorizationIds: needed.map((one) => one.id), expiresAtMs }, nowMs);
    if (replaces !== undefined) certificates.markReplacement(replaces.serial, order.id, false);
    counters.add('orders');
    tell({ kind: 'ordered', orderId: order.id, names, accountId, isRenewal, isReplacing });
    return order;
  }

  #checkRequest(request: CertificateDraft, order: Order, account: Account): void {
    if (request.keyFingerprint === account.key.fingerprint) {
      throw new Problem('badCSR', 'certificate public key must be different than account key');
    }
    if (this.#parts.certificates.isBlocked(request.keyFingerprint)) {
      throw new Problem('badCSR', 'invalid public key in CSR: public key is forbidden');
    }
    if (setKey(request.names) !== setKey(order.names)) {
      throw new Problem('badCSR', 'CSR does not specify same identifiers as Order');
    }
  }

  async #issue(
    order: Order,
    draft: CertificateDraft,
    fault: Faults['settings']['certificate'],
    signal: AbortSignal,
  ): Promise<void> {
    const { counters, log, orders } = this.#parts;
    const begun = { ...order, isBegun: true };
    try {
      await this.#recheckCaa(order, signal);
      orders.complete(begun, this.#certify(order, draft, fault));
    } catch (error) {
      if (signal.aborted) return;
      counters.add('failedIssuances');
      if (!(error instanceof Problem)) log.error({ error: describeError(error) }, 'the model CA could not issue');
      const problem = error instanceof Problem ? error : new Problem('serverInternal', 'Error finalizing order');
      orders.fail(begun, problem.document());
    }
  }

  /** @returns the serial. */
  #certify(order: Order, draft: CertificateDraft, fault: Faults['settings']['certificate']): string {
    const { certificates, clock, counters, issuedSets, limiter, profiles, tell } = this.#parts;
    const { accountId, names } = order;
    const { validityMs } = profiles.get(order.profileName);
    const nowMs = clock.nowMs();
    const validity = fault === 'expired' ? expiredValidity(nowMs, validityMs) : validityFrom(nowMs, validityMs);
    const made = draft.make({
      ...validity,
      names: fault === 'other-name' ? names.map((name) => name.replace(/^(\*\.)?/, '$1other-')) : names,
      isForOtherKey: fault === 'other-key',
    });
    certificates.add(made, order, validity, nowMs);
    const set = setKey(names);
    // Boulder's countCertificateIssued asks anew whether it is a renewal.
    const isRenewal = issuedSets.wasIssued(set, nowMs);
    limiter.bookCertificate({ accountId, names, set }, { isRenewal, isReplacing: order.isReplacing });
    issuedSets.add(set, nowMs);
    if (order.replaces !== undefined) certificates.markReplacement(order.replaces.serial, order.id, true);
    counters.add('certificates');
    const { keyFingerprint } = draft;
    const { serial } = made;
    const { notAfterMs } = validity;
    tell({ kind: 'certified', orderId: order.id, names, accountId, keyFingerprint, serial, notAfterMs });
    return serial;
  }

  /** Boulder's checkOrderCAA: what CAA said when the name was proved serves for some hours only. */
  async #recheckCaa(order: Order, signal: AbortSignal): Promise<void> {
    const { authorizations, clock, links, policy, validator } = this.#parts;
    const staleBeforeMs = clock.nowMs() - policy.caaRecheckMs;
    const stale = order.authorizationIds.filter((id) => {
      const outcome = authorizations.get(id)?.outcome;
      return outcome?.kind === 'valid' && outcome.validatedAtMs < staleBeforeMs;
    });
    if (stale.length === 0) return;
    const names = stale.flatMap((id) => authorizations.get(id)?.name ?? []);
    const accountUrl = links.account(order.accountId);
    await Promise.all(names.map((name) => validator.recheckCaa({ name, accountUrl }, signal)));
  }
}
