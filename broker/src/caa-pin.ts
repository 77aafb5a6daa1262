/** CAA at the apex for our CAs and our accounts alone (RFC 8657), so that nobody else gets certificates under the zone. */
import { describeError } from '@lanyard/sdk/kernel';
import type { Logger, Runnable } from '@lanyard/sdk/kernel';
import type { ChallengeKind } from './certificates/challenge-kind.ts';
import type { CaaRecord } from './dns/caa-record.ts';
import type { OwnZones } from './dns/own-zones.ts';

export interface CaaIssuer {
  /** The CA's name in CAA records; absent: nothing is pinned. */
  readonly identity: string | undefined;
  /** Undefined until the CA has answered for the first time. */
  readonly accountUrl: () => string | undefined;
  /** How it is asked to verify names: it may not do so in any other way. */
  readonly challenge: ChallengeKind;
}

export interface CaaPinParts {
  readonly apex: string;
  /** Every CA of the settings: one that the records leave out would issue nothing. */
  readonly issuers: readonly CaaIssuer[];
  readonly zones: Pick<OwnZones, 'setCaa'>;
  readonly log: Logger;
}

export class CaaPin implements Runnable {
  readonly #parts: CaaPinParts;
  #pinned = '';
  #running: Promise<void> = Promise.resolve();

  constructor(parts: CaaPinParts) {
    this.#parts = parts;
  }

  /**
   * Pins the accounts that the CAs know us by now; nothing when they are pinned already. To be called again whenever that
   * may be others: a CA that keeps RFC 8657 issues nothing while the record names a former account. Never throws.
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
    const { apex, issuers, zones, log } = this.#parts;
    const records = pinnedRecords(issuers);
    const pinned = records.map(({ value }) => value).join();
    if (pinned === '' || pinned === this.#pinned) return;
    try {
      await zones.setCaa(apex, records);
      this.#pinned = pinned;
    } catch (error) {
      log.error({ err: describeError(error) }, 'CAA could not be published; tried again with the next certificate');
    }
  }
}

/** What CAA is to say; empty while there is no account to name. */
export function pinnedRecords(issuers: readonly CaaIssuer[]): readonly CaaRecord[] {
  const values = issuers.flatMap(({ identity, accountUrl, challenge }) => {
    const url = accountUrl();
    if (identity === undefined || url === undefined) return [];
    return [`${identity}; accounturi=${url}; validationmethods=${challenge}`];
  });
  if (values.length === 0) return [];
  return [
    ...values.map((value) => ({ flags: 0, tag: 'issue', value }) as const),
    { flags: 0, tag: 'issuewild', value: ';' },
  ];
}
