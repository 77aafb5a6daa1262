/** What can go wrong with the CA on purpose, switched while it runs; every door passes its work through here. */
import { sleep, type Clock, type Random } from '@lanyard/sdk/kernel';
import type { AuthorityEvent } from './authority-event.ts';
import { ConnectionCut } from './connection-cut.ts';
import { Problem } from './problems.ts';

export interface FaultSettings {
  /** Nobody gets through, and nothing is done. */
  readonly isUnreachable: boolean;
  /** Every request is answered with 500, and nothing is done. */
  readonly isFailing: boolean;
  /** This part of the requests (0 to 1) is done, and the line breaks before the answer. */
  readonly cutShare: number;
  /** Only these operations are cut: the folder below /acme/, for instance `new-order`. Empty: any. */
  readonly cutOperations: readonly string[];
  /** Every request waits this long first. */
  readonly slowMs: number;
  readonly certificate: CertificateFault;
}

/** What is wrong with each certificate issued. */
export type CertificateFault = 'none' | 'other-key' | 'other-name' | 'expired';

export const NO_FAULTS: FaultSettings = {
  isUnreachable: false,
  isFailing: false,
  cutShare: 0,
  cutOperations: [],
  slowMs: 0,
  certificate: 'none',
};

export interface FaultsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (event: AuthorityEvent) => void;
}

export class Faults {
  readonly #options: FaultsOptions;
  readonly #abort = new AbortController();
  settings: FaultSettings = NO_FAULTS;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Whether `before` has anything to do. */
  get isObstructing(): boolean {
    const { isFailing, isUnreachable, slowMs } = this.settings;
    return isUnreachable || isFailing || slowMs > 0;
  }

  /**
   * @throws ConnectionCut when a fault says so.
   * @throws Problem `serverInternal`
   */
  async before(operation: string): Promise<void> {
    const { slowMs } = this.settings;
    // Switched on while it waits, an outage still meets the request.
    if (slowMs > 0) await sleep(this.#options.clock, slowMs, this.#abort.signal);
    if (this.settings.isUnreachable) throw this.#cut(operation, false);
    if (this.settings.isFailing) throw new Problem('serverInternal', 'Internal error');
  }

  /** @throws ConnectionCut when a fault says so; refusals are lost on the way as well as answers. */
  after(operation: string): void {
    const { cutShare, cutOperations } = this.settings;
    if (cutShare <= 0) return;
    if (cutOperations.length > 0 && !cutOperations.includes(operation)) return;
    if (this.#options.random.uniform() < cutShare) throw this.#cut(operation, true);
  }

  /** Ends what waits because of `slowMs`. */
  stop(): void {
    this.#abort.abort(new ConnectionCut(false));
  }

  #cut(operation: string, wasProcessed: boolean): ConnectionCut {
    this.#options.tell({ kind: 'cut', operation });
    return new ConnectionCut(wasProcessed);
  }
}
