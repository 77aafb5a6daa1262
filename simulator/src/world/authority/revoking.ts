/** The rules of revocation (RFC 8555 §7.6): by the account, by whoever has proved all names, by the certificate's key. */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '@lanyard/sdk/kernel';
import type { Account } from './accounts.ts';
import type { AuthorityEvent } from './authority-event.ts';
import type { Authorizations } from './authorizations.ts';
import type { CertificateRecord, Certificates } from './certificates.ts';
import type { Counters } from './counters.ts';
import { keyFingerprint } from './good-key.ts';
import { Problem } from './problems.ts';

export interface RevokingParts {
  readonly clock: Clock;
  readonly authorizations: Authorizations;
  readonly certificates: Certificates;
  readonly counters: Counters;
  readonly tell: (event: AuthorityEvent) => void;
}

const KEY_COMPROMISE = 1;

export class Revoking {
  readonly #parts: RevokingParts;

  constructor(parts: RevokingParts) {
    this.#parts = parts;
  }

  /** @throws Problem `unauthorized` | `badRevocationReason` | `alreadyRevoked` */
  byAccount(account: Account, record: CertificateRecord, reason = 0): void {
    const nowMs = this.#requireAlive(record);
    this.#checkRight(account, record, nowMs);
    this.#parts.certificates.revokeByAccount(record, reason, nowMs);
    this.tell(record, reason);
  }

  /**
   * @param signer the fingerprint of the key that asks.
   * @throws Problem `unauthorized` | `alreadyRevoked`
   */
  byKey(signer: string, record: CertificateRecord, publicKey: KeyObject): void {
    const nowMs = this.#requireAlive(record);
    if (signer !== keyFingerprint(publicKey)) {
      throw new Problem('unauthorized', 'JWK embedded in revocation request must be the same public key as the cert');
    }
    this.#parts.certificates.revokeByKey(record, publicKey, nowMs);
    this.tell(record, KEY_COMPROMISE);
  }

  /** Counts and tells what was revoked, by whomever. */
  tell(record: CertificateRecord, reason: number): void {
    this.#parts.counters.add('revocations');
    this.#parts.tell({ kind: 'revoked', serial: record.id, names: record.names, reason });
  }

  #requireAlive(record: CertificateRecord): number {
    const nowMs = this.#parts.clock.nowMs();
    if (record.notAfterMs < nowMs) throw new Problem('unauthorized', 'Certificate is expired');
    return nowMs;
  }

  #checkRight(account: Account, record: CertificateRecord, nowMs: number): void {
    if (record.accountId === account.id) return;
    const isProved = record.names.every((name) => this.#parts.authorizations.isProved(account.id, name, nowMs));
    if (!isProved) {
      throw new Problem('unauthorized', 'The account does not hold an authorization for all names in the certificate');
    }
  }
}
