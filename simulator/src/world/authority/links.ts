/** Where everything of the model CA is found. Clients learn these from answers; only the directory is known. */
import type { Authorization, AuthorizationLinks, Challenge } from './authorizations.ts';
import type { Order, OrderLinks } from './orders.ts';

export class Links implements AuthorizationLinks, OrderLinks {
  readonly #baseUrl: string;

  /** @param baseUrl scheme, host and port, without a slash at the end. */
  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  get directory(): string {
    return this.at('/directory');
  }

  get terms(): string {
    return this.at('/terms/v1');
  }

  /** Where a person lifts a pause at Let's Encrypt; nothing answers here, `controls.unpause` does it. */
  get unpause(): string {
    return this.at('/sfe/v1/unpause');
  }

  at(path: string): string {
    return this.#baseUrl + path;
  }

  account(accountId: string): string {
    return this.at(`/acme/acct/${accountId}`);
  }

  /** The inverse of `account`; nothing when the URL is none of ours. */
  accountIdOf(url: string): string | undefined {
    const prefix = this.account('');
    return url.startsWith(prefix) ? url.slice(prefix.length) : undefined;
  }

  order(order: Order): string {
    return this.at(`/acme/order/${order.accountId}/${order.id}`);
  }

  finalize(order: Order): string {
    return this.at(`/acme/finalize/${order.accountId}/${order.id}`);
  }

  authorization(accountId: string, authorizationId: string): string {
    return this.at(`/acme/authz/${accountId}/${authorizationId}`);
  }

  challenge(authorization: Authorization, challenge: Challenge): string {
    return this.at(`/acme/chall/${authorization.accountId}/${authorization.id}/${challenge.id}`);
  }

  certificate(serial: string): string {
    return this.at(`/acme/cert/${serial}`);
  }
}
