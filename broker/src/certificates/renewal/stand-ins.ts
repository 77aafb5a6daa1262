/** Renews in their absence what sleeping appliances do not ask for, each certificate when it is due. */
import { LanyardError, describeError, endsWithin, sleep } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Runnable } from '@lanyard/sdk/kernel';
import type { Issuance } from '../issuance.ts';
import type { OrderStore } from '../order-store.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import { asleepSince, judgeAbsence } from './stand-in.ts';

export interface StandInsSettings {
  /** For how long an appliance is stood in for, from the renewal that it first missed. 0: never. */
  readonly renewAsleepDays: number;
}

export interface StandInsParts {
  readonly store: Pick<OrderStore, 'unattended' | 'nextUnattendedMs' | 'leaveUnattended'>;
  readonly issuance: Pick<Issuance, 'standIn'>;
  /** The names that are an appliance's own; undefined: it is to have no certificate. */
  readonly namesOf: (deviceId: string) => Promise<readonly string[] | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: StandInsSettings;
}

const DAY_MS = 86_400_000;
const PAGE = 100;
/** What is due within it goes together. */
const SHORTEST_REST_MS = 1_000;
/** New certificates and operators bring new instants; nobody waits for them at the door. */
const LONGEST_REST_MS = 3_600_000;
const STORE_PAUSE_MS = 60_000;
/** What the store does not give up by itself is left behind when stopping. */
const STOP_MS = 5_000;

export class StandIns implements Runnable {
  readonly #parts: StandInsParts;
  #life: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: StandInsParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    if (this.#life !== undefined) return;
    this.#life = new AbortController();
    this.#running = this.#live(this.#life.signal);
  }

  async stop(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#life?.abort(new LanyardError('stopped'));
    this.#life = undefined;
    const hasEnded = await endsWithin(clock, STOP_MS, this.#running);
    if (!hasEnded) log.warn({}, 'renewals of sleeping appliances were left behind while stopping');
  }

  /** When the certificate is renewed in its appliance's absence, if that lasts; undefined: it is not. */
  plannedAtMs(certificate: StoredCertificate): number | undefined {
    const { unattendedAtMs = Infinity } = certificate;
    return unattendedAtMs <= asleepSince(certificate) + this.#cutOffMs ? unattendedAtMs : undefined;
  }

  get #cutOffMs(): number {
    return this.#parts.settings.renewAsleepDays * DAY_MS;
  }

  async #live(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      const restMs = await this.#round(life);
      await sleep(this.#parts.clock, restMs, life).catch(() => {});
    }
  }

  /** Goes through everything that is due, page by page. Tells how long to rest. */
  async #round(life: AbortSignal): Promise<number> {
    const { store, clock, log } = this.#parts;
    try {
      let done: ReadonlySet<string> = new Set();
      for (;;) {
        const nextMs = (await store.nextUnattendedMs()) ?? Infinity;
        const restMs = nextMs - clock.nowMs();
        if (life.aborted || restMs > 0) return Math.min(Math.max(restMs, SHORTEST_REST_MS), LONGEST_REST_MS);
        const page = await store.unattended(clock.nowMs(), PAGE);
        // Whatever the store's defect may be, it is not asked without end.
        if (page.some(({ fingerprint }) => done.has(fingerprint))) throw new LanyardError('internal');
        for (const certificate of page) if (!life.aborted) await this.#attend(certificate);
        done = new Set(page.map(({ fingerprint }) => fingerprint));
      }
    } catch (error) {
      log.error(
        { err: describeError(error) },
        'sleeping appliances could not be stood in for; tried again in a minute',
      );
      return STORE_PAUSE_MS;
    }
  }

  async #attend(certificate: StoredCertificate): Promise<void> {
    const { store, issuance, namesOf, clock, log } = this.#parts;
    const { deviceId, fingerprint } = certificate;
    const ownNames = await namesOf(deviceId);
    const answer = judgeAbsence({ certificate, ownNames, cutOffMs: this.#cutOffMs, nowMs: clock.nowMs() });
    if (answer.kind === 'leave') {
      await store.leaveUnattended(fingerprint);
      return log.info({ deviceId, fingerprint, why: answer.why }, 'a certificate is not renewed in absence');
    }
    const { asleepSinceMs } = answer;
    const order = await issuance.standIn({ deviceId, fingerprint, asleepSinceMs });
    if (order === undefined) return;
    const asleepFrom = new Date(asleepSinceMs).toISOString();
    log.info({ deviceId, fingerprint, order: order.id, asleepFrom }, 'a sleeping appliance is stood in for');
  }
}
