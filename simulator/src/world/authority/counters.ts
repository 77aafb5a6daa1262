/** What the model CA did so far, for reports and for tests. */

export interface AuthorityStatistics {
  readonly requests: number;
  /** Good and bad nonces that were refused. */
  readonly badNonces: number;
  readonly accounts: number;
  readonly orders: number;
  /** Requests for an order that were answered with one that was open already. */
  readonly reusedOrders: number;
  readonly reusedAuthorizations: number;
  readonly validations: number;
  readonly failedValidations: number;
  readonly certificates: number;
  /** Orders that failed after finalize was accepted. */
  readonly failedIssuances: number;
  readonly revocations: number;
}

export class Counters {
  readonly #counts: Record<keyof AuthorityStatistics, number> = {
    requests: 0,
    badNonces: 0,
    accounts: 0,
    orders: 0,
    reusedOrders: 0,
    reusedAuthorizations: 0,
    validations: 0,
    failedValidations: 0,
    certificates: 0,
    failedIssuances: 0,
    revocations: 0,
  };

  add(name: keyof AuthorityStatistics, count = 1): void {
    this.#counts[name] += count;
  }

  statistics(): AuthorityStatistics {
    return { ...this.#counts };
  }
}
