/** A fleet with a store and a CA that outlive the watch, and can be told to fail. Only for tests. */
import { silentLogger } from '@lanyard/sdk/kernel';
import type { Logger } from '@lanyard/sdk/kernel';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { expect } from 'vitest';
import type { RenewalInfo } from '../authority.ts';
import type { LookedUp, NotedRenewal } from '../order-store.ts';
import type { StoredCertificate } from '../stored-certificate.ts';
import { firstLookMs } from './renewal-advice.ts';
import { renewalTime } from './renewal-time.ts';
import { RenewalWatch } from './renewal-watch.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type Answer = (renewalId: string, signal: AbortSignal) => Promise<RenewalInfo | undefined>;

export class World {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(7);
  readonly store = new StoreDouble();
  readonly asked: { readonly renewalId: string; readonly atMs: number }[] = [];
  readonly moved: { readonly fingerprint: string; readonly renewAtMs: number; readonly isUrgent: boolean }[] = [];
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  mostAtOnce = 0;
  #atOnce = 0;
  answer: Answer = async (renewalId) => ({ window: this.windowOf(renewalId), retryAfterMs: 6 * HOUR_MS });

  /** A new process on the same world. */
  live(): RenewalWatch {
    const { clock, random, store } = this;
    const authority = { renewalInfo: (id: string, signal: AbortSignal) => this.#ask(id, signal) };
    const parts = {
      clock,
      random,
      store,
      authority,
      terms: { id: 'le' },
      log: this.#log(),
      settings: { concurrency: 8 },
    };
    const watch = new RenewalWatch(parts);
    watch.onMoved(({ fingerprint }, renewAtMs, isUrgent) => this.moved.push({ fingerprint, renewAtMs, isUrgent }));
    return watch;
  }

  issue(count: number, lifeMs = 90 * DAY_MS, changes: Partial<StoredCertificate> = {}): void {
    for (let each = 0; each < count; each++) {
      const serial = String(this.store.certificates.size + 1);
      const nowMs = this.clock.nowMs();
      const validity = { notBeforeMs: nowMs, notAfterMs: nowMs + lifeMs };
      this.store.put({
        ...validity,
        deviceId: `appliance-${serial}`,
        orderId: `order-${serial}`,
        names: [`${serial}.devices.example.com`],
        fingerprint: serial,
        keyHash: `key-${serial}`,
        serial,
        issuedAtMs: nowMs,
        authority: 'le',
        renewalId: serial,
        renewAtMs: renewalTime(validity, this.random.uniform(), nowMs),
        lookUpAtMs: firstLookMs(nowMs, this.random.uniform()),
        ...changes,
      });
    }
  }

  /** By Let's Encrypt's rules, which are ours. */
  windowOf(serial: string): RenewalInfo['window'] {
    const found = this.store.get(serial);
    return { startMs: renewalTime(found, 0, found.issuedAtMs), endMs: renewalTime(found, 1, found.issuedAtMs) };
  }

  askedSince(atMs: number): number {
    return this.asked.filter((each) => each.atMs >= atMs).length;
  }

  async #ask(renewalId: string, signal: AbortSignal): Promise<RenewalInfo | undefined> {
    this.asked.push({ renewalId, atMs: this.clock.nowMs() });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    try {
      return await this.answer(renewalId, signal);
    } finally {
      this.#atOnce -= 1;
    }
  }

  #log(): Logger {
    const at = (level: string) => (fields: object, message: string) => void this.lines.push({ level, message, fields });
    return { ...silentLogger, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

class StoreDouble {
  readonly certificates = new Map<string, StoredCertificate>();
  questions = 0;
  /** Thrown by every method while it is set. */
  failure: Error | undefined;
  isForgetful = false;

  put(certificate: StoredCertificate): void {
    this.certificates.set(certificate.fingerprint, certificate);
  }

  get(fingerprint: string): StoredCertificate {
    return this.certificates.get(fingerprint) ?? expect.fail(`no certificate ${fingerprint}`);
  }

  get all(): readonly StoredCertificate[] {
    return [...this.certificates.values()];
  }

  async toLookUp(_authority: string, nowMs: number, limit: number): Promise<readonly StoredCertificate[]> {
    if (this.failure) throw this.failure;
    const due = this.all.filter(({ lookUpAtMs }) => lookUpAtMs !== undefined && lookUpAtMs <= nowMs);
    return due.toSorted((a, b) => (a.lookUpAtMs ?? 0) - (b.lookUpAtMs ?? 0)).slice(0, limit);
  }

  async nextLookUpMs(): Promise<number | undefined> {
    this.questions += 1;
    if (this.failure) throw this.failure;
    const nextMs = Math.min(...this.all.map(({ lookUpAtMs = Infinity }) => lookUpAtMs));
    return nextMs === Infinity ? undefined : nextMs;
  }

  async noteRenewal({ fingerprint }: LookedUp, { lookUpAtMs, window, ...renewal }: NotedRenewal): Promise<boolean> {
    if (this.failure) throw this.failure;
    const found = this.certificates.get(fingerprint);
    if (found === undefined) return false;
    if (this.isForgetful) return true;
    const { lookUpAtMs: _, window: __, explanationUrl: ___, ...rest } = found;
    const noted = { ...(lookUpAtMs !== undefined && { lookUpAtMs }), ...(window && { window }) };
    this.put({ ...rest, ...renewal, ...noted });
    return true;
  }
}
