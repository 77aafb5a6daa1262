/** Judges certificates that somebody saw in public logs, and keeps those that nobody here asked for until they are settled. */
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Runnable } from '@lanyard/sdk/kernel';
import type { ForeignCertificate, ForeignStore } from './foreign-store.ts';
import type { ObservedCertificate, ReadObservedCertificate } from './observed-certificate.ts';
import { judge, namesUnder } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export interface ForeignWatchParts {
  readonly store: ForeignStore;
  readonly readCertificate: ReadObservedCertificate;
  readonly zones: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Observation {
  readonly verdict: Verdict;
  /** Of a foreign one only its names under our zones. */
  readonly certificate: ObservedCertificate;
}

/** A reading person is through after a dozen; the rest is room for a flood, at some 2 KiB each. */
const MOST_REMEMBERED = 1_000;
/** Let's Encrypt's bound for one certificate. Who holds more has shown enough. */
const MOST_NAMES = 100;

const ADVICE = 'lanyard foreign list; docs/guides/when-somebody-else-issues.md';

export class ForeignWatch implements Runnable {
  readonly #parts: ForeignWatchParts;
  #unsettled = 0;

  constructor(parts: ForeignWatchParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#count();
    const { log } = this.#parts;
    if (this.#unsettled > 0) log.error({ certificates: this.#unsettled, advice: ADVICE }, 'certificates are foreign');
  }

  async stop(): Promise<void> {}

  /** How many are to be looked into. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /**
   * May be said again of the same certificate, and of its precertificate.
   * @throws LanyardError `certificate-unreadable` | `store-failed`.
   */
  async observe(pem: string): Promise<Observation> {
    const { store, zones } = this.#parts;
    const certificate = this.#read(pem);
    const namesOfKey = await store.namesOfKey(certificate.keyHash);
    const verdict = judge(certificate, { zones, namesOfKey });
    if (verdict !== 'foreign') return { verdict, certificate };
    const names = namesUnder(zones, certificate.names).slice(0, MOST_NAMES);
    const foreign = { ...certificate, names };
    await this.#note(foreign);
    return { verdict, certificate: foreign };
  }

  /** Those that are not settled before the others, and the newest first. */
  async list(): Promise<readonly ForeignCertificate[]> {
    return await this.#parts.store.list();
  }

  /**
   * Somebody has looked into it: it is no alarm any more.
   * @param fingerprint also as OpenSSL writes it, in capitals with colons.
   * @throws LanyardError `foreign-certificate-unknown` | `store-failed`.
   */
  async settle(fingerprint: string): Promise<void> {
    const { store, clock, log } = this.#parts;
    const asStored = fingerprint.replaceAll(':', '').toLowerCase();
    if (!(await store.settle(asStored, clock.nowMs()))) throw new LanyardError('foreign-certificate-unknown');
    log.info({ fingerprint: asStored }, 'a foreign certificate is settled');
    await this.#count();
  }

  #read(pem: string): ObservedCertificate {
    const { readCertificate, log } = this.#parts;
    try {
      return readCertificate(pem);
    } catch (error) {
      // Whoever watches the logs thought that it was for a name of ours: it must not pass in silence.
      log.error({ err: describeError(error) }, 'a certificate that was observed cannot be read: look at it yourself');
      throw error;
    }
  }

  async #note(certificate: ObservedCertificate): Promise<void> {
    const { store, clock, log } = this.#parts;
    const noted = await store.note(certificate, clock.nowMs(), MOST_REMEMBERED);
    await this.#count();
    if (noted === 'known') return;
    const { fingerprint, names, issuer, serial, keyHash, notAfterMs } = certificate;
    const notAfter = new Date(notAfterMs).toISOString();
    const facts = { fingerprint, names, issuer, serial, keyHash, notAfter, isRemembered: noted === 'new' };
    log.error({ ...facts, advice: ADVICE }, 'a certificate for a name of ours that nobody here asked for');
  }

  async #count(): Promise<void> {
    this.#unsettled = await this.#parts.store.countUnsettled();
  }
}
