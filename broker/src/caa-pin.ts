/** CAA at the apex for one CA and one account alone (RFC 8657), so that nobody else gets certificates under the zone. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Logger, Runnable } from '@lanyard/sdk/kernel';
import type { OwnZones } from './dns/own-zones.ts';

export interface CaaPinParts {
  readonly apex: string;
  /** The CA's name in CAA records; absent: nothing is pinned. */
  readonly caaIdentity: string | undefined;
  /** Undefined until the CA has answered for the first time. */
  readonly accountUrl: () => string | undefined;
  readonly zones: Pick<OwnZones, 'setCaa'>;
  readonly log: Logger;
}

export class CaaPin implements Runnable {
  readonly #parts: CaaPinParts;
  #pinned: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: CaaPinParts) {
    this.#parts = parts;
  }

  /**
   * Pins the account that the CA knows us by now; nothing when it is pinned already. To be called again whenever that
   * may be another: a CA that keeps RFC 8657 issues nothing while the record names a former account. Never throws.
   */
  start(): Promise<void> {
    this.#running = this.#running.then(() => this.#pin());
    return this.#running;
  }

  /** The record stays: the zone is served on by whoever serves it. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #pin(): Promise<void> {
    const { apex, caaIdentity, accountUrl, zones, log } = this.#parts;
    const url = accountUrl();
    if (caaIdentity === undefined || url === undefined || url === this.#pinned) return;
    const value = `${caaIdentity}; accounturi=${url}; validationmethods=dns-01`;
    try {
      await zones.setCaa(apex, [
        { flags: 0, tag: 'issue', value },
        { flags: 0, tag: 'issuewild', value: ';' },
      ]);
      this.#pinned = url;
    } catch (error) {
      log.error({ err: describeError(error) }, 'CAA could not be published; tried again with the next certificate');
    }
  }
}
