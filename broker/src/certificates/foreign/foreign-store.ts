/** Port: where certificates that nobody asked for are remembered. Every method is one atomic, durable transaction. */
import type { ObservedCertificate } from './observed-certificate.ts';

export interface ForeignCertificate extends ObservedCertificate {
  readonly seenAtMs: number;
  /** When an operator had looked into it; absent until then. */
  readonly settledAtMs?: number;
}

/** @throws LanyardError `store-failed` when nothing was changed and the call may be repeated. */
export interface ForeignStore {
  /** Names of the appliance whose request first carried the key: of its newest certificate and of its open order. */
  namesOfKey(keyHash: string): Promise<readonly string[]>;
  /**
   * Remembers a certificate, unless it or its precertificate is known. When there are `most` already, the one that was
   * settled first is forgotten; nothing is remembered when none is settled.
   */
  note(certificate: ObservedCertificate, seenAtMs: number, most: number): Promise<'new' | 'known' | 'full'>;
  /** Those that are not settled before the others, and the newest first. */
  list(): Promise<readonly ForeignCertificate[]>;
  /** Said twice, the first time stays. False when no such certificate is remembered. */
  settle(fingerprint: string, nowMs: number): Promise<boolean>;
  countUnsettled(): Promise<number>;
}
