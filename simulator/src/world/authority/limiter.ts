/** Which request the CA's limits let through, and what each costs (Boulder's ratelimits/transaction.go). */
import type { Clock, Random } from '@lanyard/sdk/kernel';
import { Auditor } from './auditor.ts';
import type { AuthorityEvent } from './authority-event.ts';
import { Buckets } from './buckets.ts';
import { rangeOf } from './client-address.ts';
import { limitProblem, type Excess, type SpokenLimit } from './limit-problem.ts';
import { baseName } from './names.ts';
import type { LimitName, RateLimits } from './rate-limits.ts';
import { levelOf, refundOne, spendOne } from './token-bucket.ts';

export interface LimiterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: RateLimits;
  /** Which domain a name belongs to, as far as the per-domain limit is concerned. */
  readonly registeredDomain: (name: string) => string;
  readonly tell: (event: AuthorityEvent) => void;
}

export interface BucketLevel {
  readonly limit: LimitName;
  readonly key: string;
  /** May be below the burst by the part of a token that is still on its way. */
  readonly level: number;
  readonly burst: number;
}

export interface LimitedOrder {
  readonly accountId: string;
  readonly names: readonly string[];
  /** The names as one key. */
  readonly set: string;
}

interface Charge {
  readonly name: SpokenLimit;
  readonly key: string;
  readonly subject: string;
}

/** Boulder adds up to this part, so that the refused do not all come back in one second. */
const RETRY_JITTER = 0.03;

/** Enough for a chart. */
const LEVELS_PER_LIMIT = 5;

export class Limiter {
  readonly #options: LimiterOptions;
  readonly #auditor = new Auditor();
  readonly #buckets: Readonly<Record<LimitName, Buckets>> = {
    newAccountsPerAddress: new Buckets(),
    newAccountsPerRange: new Buckets(),
    newOrdersPerAccount: new Buckets(),
    certificatesPerDomain: new Buckets(),
    certificatesPerSet: new Buckets(),
    failedAuthorizations: new Buckets(),
    consecutiveFailures: new Buckets(),
  };
  #limits: RateLimits['limits'];

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#limits = options.limits.limits;
  }

  /** From now on; what was spent stays spent, in the measure of the new figures. */
  change(limits: RateLimits['limits']): void {
    this.#limits = limits;
    this.#auditor.forget();
  }

  /**
   * @param address in its plain spelling; nobody is counted without one.
   * @throws Problem `rateLimited`
   */
  admitAccount(address: string | undefined): void {
    if (address === undefined) return;
    const range = rangeOf(address);
    const charges: Charge[] = [{ name: 'newAccountsPerAddress', key: address, subject: address }];
    if (range !== undefined) charges.push({ name: 'newAccountsPerRange', key: range, subject: range });
    this.#check(charges);
    for (const charge of charges) this.#spend(charge.name, charge.key, true);
  }

  /**
   * Checks all that a new order needs and books the order itself; certificates are booked when they are issued.
   * @returns what gives it back, for an order that fails after all.
   * @throws Problem `rateLimited`, with the limit that resets furthest away.
   */
  admitOrder(order: LimitedOrder, isRenewal: boolean): () => void {
    const { accountId, names, set } = order;
    const failed = names.map((name): Charge => ({
      name: 'failedAuthorizations',
      key: failureKey(accountId, name),
      subject: name,
    }));
    const exactSet: Charge = { name: 'certificatesPerSet', key: set, subject: set };
    if (isRenewal) {
      this.#check([...failed, exactSet]);
      return () => undefined;
    }
    const domains = this.#domains(names).map((key): Charge => ({ name: 'certificatesPerDomain', key, subject: key }));
    const account: Charge = { name: 'newOrdersPerAccount', key: accountId, subject: accountId };
    this.#check([account, ...failed, ...domains, exactSet]);
    this.#spend(account.name, account.key, true);
    return () => this.#refund(account.name, account.key);
  }

  /**
   * Booked as far as there is room: the certificate exists already. Whoever opens more orders at once than a bucket
   * holds gets them all, at Boulder too; that is told as `overdrawn`.
   */
  bookCertificate(
    order: LimitedOrder,
    exemption: { readonly isRenewal: boolean; readonly isReplacing: boolean },
  ): void {
    const isAudited = !exemption.isReplacing;
    if (!exemption.isRenewal) {
      for (const domain of this.#domains(order.names)) this.#spend('certificatesPerDomain', domain, isAudited);
    }
    this.#spend('certificatesPerSet', order.set, isAudited);
  }

  /** @returns whether that was more failures in a row than the name is allowed. */
  bookFailure(accountId: string, name: string): boolean {
    const key = failureKey(accountId, name);
    this.#spend('failedAuthorizations', key, false);
    return !this.#spend('consecutiveFailures', key, false);
  }

  /** One success makes the failures before it forgotten, as far as pausing is concerned. */
  bookSuccess(accountId: string, name: string): void {
    this.#buckets.consecutiveFailures.delete(failureKey(accountId, name));
  }

  /** The lowest few of each limit. */
  levels(): readonly BucketLevel[] {
    const nowMs = this.#options.clock.nowMs();
    return LIMIT_NAMES.flatMap((name) => {
      const limit = this.#limits[name];
      if (limit === undefined) return [];
      const lowest: BucketLevel[] = [];
      for (const [key, fullAtMs] of this.#buckets[name].entries()) {
        const level = levelOf(fullAtMs, limit, nowMs);
        const place = lowest.findIndex((other) => other.level > level);
        if (place === -1 && lowest.length >= LEVELS_PER_LIMIT) continue;
        lowest.splice(place === -1 ? lowest.length : place, 0, { limit: name, key, level, burst: limit.burst });
        lowest.length = Math.min(lowest.length, LEVELS_PER_LIMIT);
      }
      return lowest;
    });
  }

  /** How many buckets are kept: those that are not full, and some that are. */
  get size(): number {
    return LIMIT_NAMES.reduce((sum, name) => sum + this.#buckets[name].size, 0);
  }

  #domains(names: readonly string[]): readonly string[] {
    const { registeredDomain } = this.#options;
    const [first, ...others] = names;
    if (first === undefined) return [];
    const domain = registeredDomain(baseName(first));
    if (others.length === 0) return [domain];
    return [...new Set([domain, ...others.map((name) => registeredDomain(baseName(name)))])];
  }

  #check(charges: readonly Charge[]): void {
    const nowMs = this.#options.clock.nowMs();
    let worst: (Excess & { readonly key: string }) | undefined;
    for (const { name, key, subject } of charges) {
      const limit = this.#limits[name];
      if (limit === undefined) continue;
      const { isAllowed, retryAfterMs } = spendOne(this.#buckets[name].get(key), limit, nowMs);
      if (isAllowed || retryAfterMs <= (worst?.retryAfterMs ?? 0)) continue;
      worst = { name, key, limit, subject, retryAfterMs };
    }
    if (worst === undefined) return;
    const retryAfterMs = worst.retryAfterMs * (1 + RETRY_JITTER * this.#options.random.uniform());
    this.#options.tell({ kind: 'limited', limit: worst.name, key: worst.key, retryAfterMs });
    throw limitProblem({ ...worst, retryAfterMs }, nowMs);
  }

  /** @returns whether there was something to spend. */
  #spend(name: LimitName, key: string, isAudited: boolean): boolean {
    const limit = this.#limits[name];
    if (limit === undefined) return true;
    const nowMs = this.#options.clock.nowMs();
    const buckets = this.#buckets[name];
    const { isAllowed, fullAtMs } = spendOne(buckets.get(key), limit, nowMs);
    if (isAllowed) buckets.set(key, fullAtMs, nowMs);
    if (isAudited && this.#auditor.isOverdrawn(name, limit, key, nowMs)) {
      this.#options.tell({ kind: 'overdrawn', limit: name, key });
    }
    return isAllowed;
  }

  #refund(name: LimitName, key: string): void {
    const limit = this.#limits[name];
    if (limit === undefined) return;
    const nowMs = this.#options.clock.nowMs();
    const buckets = this.#buckets[name];
    buckets.set(key, refundOne(buckets.get(key), limit, nowMs), nowMs);
    this.#auditor.takeBack(name, limit, key);
  }
}

const LIMIT_NAMES: readonly LimitName[] = [
  'newAccountsPerAddress',
  'newAccountsPerRange',
  'newOrdersPerAccount',
  'certificatesPerDomain',
  'certificatesPerSet',
  'failedAuthorizations',
  'consecutiveFailures',
];

/** For who does not know the Public Suffix List: the last two labels. */
export function lastTwoLabels(name: string): string {
  return name.split('.').slice(-2).join('.');
}

function failureKey(accountId: string, name: string): string {
  return `${accountId}:${name}`;
}
