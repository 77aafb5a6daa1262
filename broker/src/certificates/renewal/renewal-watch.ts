/** Asks a CA about every certificate that it issued when it is due, and moves the renewals that the CA wants moved. */
import { LanyardError, describeError, endsWithin, sleep } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import type { Authority } from '../authority.ts';
import type { AuthorityTerms } from '../budget/rate-limit.ts';
import type { OrderStore } from '../order-store.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import { afterLook } from './renewal-advice.ts';
import type { RenewalAdvice, RenewalAnswer } from './renewal-advice.ts';
import { askRenewal } from './renewal-question.ts';
import { Silence } from './silence.ts';

export interface RenewalWatchSettings {
  /** How many certificates may be asked about at once. */
  readonly concurrency: number;
}

export interface RenewalWatchParts {
  readonly store: Pick<OrderStore, 'toLookUp' | 'nextLookUpMs' | 'noteRenewal'>;
  readonly authority: Pick<Authority, 'renewalInfo'>;
  readonly terms: Pick<AuthorityTerms, 'id'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: RenewalWatchSettings;
}

/** Must not throw. `certificate` is as it was before; `isUrgent` after a revocation or an incident. */
export type MovedListener = (certificate: StoredCertificate, renewAtMs: number, isUrgent: boolean) => void;

/** How long nothing is done; after `leastMs`, `wake` ends it. */
interface Rest {
  readonly leastMs: number;
  readonly mostMs: number;
}

const PAGE = 100;
/** Looks that are due within it go together, and however often it is woken, the store is asked no oftener. */
const SHORTEST_REST_MS = 1_000;
/** Others add certificates too, and need not say so. */
const LONGEST_REST_MS = 15 * 60_000;
const STORE_PAUSE_MS = 60_000;
/** What the CA or the store does not give up by itself is left behind when stopping. */
const STOP_MS = 5_000;

export class RenewalWatch implements Runnable {
  readonly #parts: RenewalWatchParts;
  readonly #silence: Silence;
  #onMoved: MovedListener = () => {};
  #life: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Aborted: somebody wants the store to be asked again. */
  #doze = new AbortController();

  constructor(parts: RenewalWatchParts) {
    this.#parts = parts;
    this.#silence = new Silence(parts);
  }

  /** Called whenever a renewal is due at another instant than before, after that was stored. */
  onMoved(listener: MovedListener): void {
    this.#onMoved = listener;
  }

  async start(): Promise<void> {
    if (this.#life !== undefined) return;
    this.#life = new AbortController();
    this.#running = this.#live(this.#life.signal);
  }

  /** Abandons what is under way; it is asked again at the next start. */
  async stop(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#life?.abort(new LanyardError('stopped'));
    this.#life = undefined;
    this.wake();
    const hasEnded = await endsWithin(clock, STOP_MS, this.#running);
    if (!hasEnded) log.warn({}, 'questions for renewal information were left behind while stopping');
  }

  /** To be called when a certificate was stored: it may be due before all others. */
  wake(): void {
    this.#doze.abort();
  }

  async #live(life: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!life.aborted) {
      const doze = new AbortController();
      this.#doze = doze;
      const { leastMs, mostMs } = await this.#round(life);
      await sleep(clock, leastMs, life).catch(() => {});
      await sleep(clock, mostMs - leastMs, doze.signal).catch(() => {});
    }
  }

  /** Asks about everything that is due, page by page. */
  async #round(life: AbortSignal): Promise<Rest> {
    const { store, terms, clock, log } = this.#parts;
    try {
      let noted: ReadonlySet<string> = new Set();
      for (;;) {
        // Most rounds find nothing due, and this question is the cheaper one.
        const nextMs = await store.nextLookUpMs(terms.id);
        if (life.aborted || nextMs === undefined || nextMs > clock.nowMs()) return this.#restUntil(nextMs);
        const page = await store.toLookUp(terms.id, clock.nowMs(), PAGE);
        if (page.length === 0) return this.#restUntil(nextMs);
        // Whatever the store's defect may be, the CA is not asked without end.
        if (page.some((certificate) => noted.has(lookOf(certificate)))) throw new LanyardError('internal');
        const looked = await this.#lookUp(page, life);
        if (looked.isSilent) return { leastMs: this.#silence.pauseMs, mostMs: this.#silence.pauseMs };
        noted = looked.noted;
      }
    } catch (error) {
      log.error({ err: describeError(error) }, 'renewal information could not be noted; it is asked for again');
      return { leastMs: STORE_PAUSE_MS, mostMs: STORE_PAUSE_MS };
    }
  }

  #restUntil(nextMs: number | undefined): Rest {
    const pauseMs = (nextMs ?? Infinity) - this.#parts.clock.nowMs();
    return { leastMs: SHORTEST_REST_MS, mostMs: Math.min(Math.max(pauseMs, SHORTEST_REST_MS), LONGEST_REST_MS) };
  }

  /** Ends early when the CA is away. All questions have ended when it does. */
  async #lookUp(page: readonly StoredCertificate[], life: AbortSignal): Promise<Looked> {
    const noted = new Set<string>();
    const queue = page.values();
    const atOnce = this.#silence.isOutage ? 1 : this.#parts.settings.concurrency;
    const askers = Array.from({ length: atOnce }, async () => {
      for (const certificate of queue) {
        const answer = await this.#look(certificate, life);
        if (answer === undefined) return false;
        noted.add(lookOf(certificate));
        if (answer.kind === 'temporary' && this.#silence.isOutage) return true;
      }
      return false;
    });
    const ends = await Promise.allSettled(askers);
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) throw new LanyardError('store-failed', { cause: failure.reason });
    const isSilent = this.#silence.isOutage && ends.some((end) => end.status === 'fulfilled' && end.value);
    return { noted, isSilent };
  }

  /** Undefined: abandoned, and nothing is noted. */
  async #look(certificate: StoredCertificate, life: AbortSignal): Promise<RenewalAnswer | undefined> {
    const { store, authority, clock, random, log } = this.#parts;
    if (life.aborted) return undefined;
    const { fingerprint } = certificate;
    const isAsked = isWorthAsking(certificate, clock.nowMs());
    const answer: RenewalAnswer = isAsked
      ? await askRenewal({ authority, log, signal: life }, certificate)
      : { kind: 'no-offer' };
    if (life.aborted) return undefined;
    const misses = isAsked ? this.#silence.count(fingerprint, answer) : 0;
    const look = { certificate, answer, misses, nowMs: clock.nowMs(), uniform: random.uniform() };
    const { isUrgent, ...renewal } = afterLook(look);
    const isNewest = await store.noteRenewal(certificate, renewal);
    if (!isNewest) this.#silence.forget(fingerprint);
    else if (renewal.renewAtMs !== certificate.renewAtMs) this.#tell(certificate, { isUrgent, ...renewal });
    return answer;
  }

  #tell(certificate: StoredCertificate, { renewAtMs, explanationUrl, isUrgent }: RenewalAdvice): void {
    const { log } = this.#parts;
    const { deviceId, fingerprint } = certificate;
    const facts = { deviceId, fingerprint, renewAt: new Date(renewAtMs).toISOString(), explanationUrl };
    if (isUrgent) log.info(facts, 'the CA wants a certificate renewed at once');
    else log.debug(facts, 'renewal moved into the window of the CA');
    this.#onMoved(certificate, renewAtMs, isUrgent);
  }
}

interface Looked {
  /** Which looks were noted, by `lookOf`. */
  readonly noted: ReadonlySet<string>;
  /** The CA is away, and the rest of the page was left. */
  readonly isSilent: boolean;
}

/** One look at one certificate: once noted, it must not be due again. */
function lookOf({ fingerprint, lookUpAtMs }: StoredCertificate): string {
  return `${fingerprint} ${lookUpAtMs}`;
}

/** RFC 9773 §4.3: not about an expired one; and what has no id (§4.1) cannot be asked about. */
function isWorthAsking({ renewalId, notAfterMs }: StoredCertificate, nowMs: number): boolean {
  return renewalId !== undefined && nowMs < notAfterMs;
}
