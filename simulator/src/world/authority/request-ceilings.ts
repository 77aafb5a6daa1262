/** How fast one address may ask at each endpoint: what stands in front of Boulder, and answers 503. */
import type { Clock } from '@lanyard/sdk/kernel';
import type { AuthorityEvent } from './authority-event.ts';
import { Buckets } from './buckets.ts';
import { Problem } from './problems.ts';
import type { CeilingName, RateLimits } from './rate-limits.ts';
import { spendOne } from './token-bucket.ts';

export interface RequestCeilingsOptions {
  readonly clock: Clock;
  readonly limits: RateLimits;
  readonly tell: (event: AuthorityEvent) => void;
}

export class RequestCeilings {
  readonly #options: RequestCeilingsOptions;
  /** By endpoint, then by address. */
  readonly #buckets: Readonly<Record<CeilingName, Buckets>> = {
    directory: new Buckets(),
    newNonce: new Buckets(),
    newAccount: new Buckets(),
    newOrder: new Buckets(),
    revokeCert: new Buckets(),
    renewalInfo: new Buckets(),
    acme: new Buckets(),
  };
  #ceilings: RateLimits['ceilings'];

  constructor(options: RequestCeilingsOptions) {
    this.#options = options;
    this.#ceilings = options.limits.ceilings;
  }

  change(ceilings: RateLimits['ceilings']): void {
    this.#ceilings = ceilings;
    for (const buckets of Object.values(this.#buckets)) buckets.clear();
  }

  /**
   * @param address in its plain spelling; nobody is counted without one.
   * @throws Problem (503) with a Retry-After.
   */
  admit(endpoint: CeilingName, address: string | undefined): void {
    const ceiling = this.#ceilings[endpoint];
    if (ceiling === undefined || address === undefined) return;
    const nowMs = this.#options.clock.nowMs();
    const buckets = this.#buckets[endpoint];
    const limit = { burst: ceiling.burst, periodMs: (1000 * ceiling.burst) / ceiling.perSecond };
    const { isAllowed, fullAtMs, retryAfterMs } = spendOne(buckets.get(address), limit, nowMs);
    if (isAllowed) return buckets.set(address, fullAtMs, nowMs);
    this.#options.tell({ kind: 'busy', endpoint, address, retryAfterMs });
    throw new Problem('rateLimited', 'Service busy; retry later.', {
      status: 503,
      retryAfterSeconds: Math.ceil(retryAfterMs / 1000),
    });
  }
}

const OF_PATH: ReadonlyMap<string, CeilingName> = new Map([
  ['new-nonce', 'newNonce'],
  ['new-acct', 'newAccount'],
  ['new-order', 'newOrder'],
  ['revoke-cert', 'revokeCert'],
  ['renewal-info', 'renewalInfo'],
]);

/** The narrowest that is stated for a path; nothing for pages that are not part of ACME. */
export function ceilingOf(path: string): CeilingName | undefined {
  const [root, kind = ''] = path.split('/').slice(1);
  if (root === 'directory') return 'directory';
  return root === 'acme' ? (OF_PATH.get(kind) ?? 'acme') : undefined;
}
