/** What was issued, what was revoked, and which keys are refused for ever (RFC 8555 §7.4.2, §7.6). */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { ExpiringStore } from './expiring-store.ts';
import { keyFingerprint } from './good-key.ts';
import type { CertificateContent, MadeCertificate } from './certificate-maker.ts';
import { Problem } from './problems.ts';
import { pemOf } from './x509.ts';

export interface CertificateRecord {
  /** The serial in hex. */
  readonly id: string;
  readonly accountId: string;
  readonly names: readonly string[];
  readonly der: Uint8Array;
  readonly issuerPem: string;
  readonly authorityKeyId: string;
  readonly issuedAtMs: number;
  readonly notBeforeMs: number;
  /** The last second of its validity. */
  readonly notAfterMs: number;
  /** When it is forgotten: at its end, but not before the client could fetch one that was born expired. */
  readonly expiresAtMs: number;
  readonly revocation?: { readonly reason: number; readonly atMs: number };
  /** The order that said it replaces this one. */
  readonly replacement?: { readonly orderId: string; readonly isIssued: boolean };
}

/** A million appliances with a few certificates each before the first ends. */
const CERTIFICATE_LIMIT = 5_000_000;

const SHORTEST_MEMORY_MS = 86_400_000;

/** A blocked key is refused for ever; more than anyone revokes by hand. */
const BLOCKED_KEY_LIMIT = 1_000_000;

/** RFC 5280 §5.3.1, as far as Let's Encrypt takes it from subscribers. */
const REASONS: ReadonlySet<number> = new Set([0, 1, 4, 5]);
const KEY_COMPROMISE = 1;

export class Certificates {
  readonly #store: ExpiringStore<CertificateRecord>;
  readonly #blockedKeys = new Set<string>();

  constructor(limit = CERTIFICATE_LIMIT) {
    this.#store = new ExpiringStore({ limit });
  }

  get size(): number {
    return this.#store.size;
  }

  get(serial: string): CertificateRecord | undefined {
    return this.#store.get(serial);
  }

  add(
    made: MadeCertificate,
    owner: Pick<CertificateRecord, 'accountId' | 'names'>,
    validity: Pick<CertificateContent, 'notBeforeMs' | 'notAfterMs'>,
    nowMs: number,
  ): void {
    const record: CertificateRecord = {
      id: made.serial,
      accountId: owner.accountId,
      names: owner.names,
      der: made.der,
      issuerPem: made.issuerPem,
      authorityKeyId: made.authorityKeyId,
      issuedAtMs: nowMs,
      notBeforeMs: validity.notBeforeMs,
      notAfterMs: validity.notAfterMs,
      expiresAtMs: Math.max(validity.notAfterMs, nowMs + SHORTEST_MEMORY_MS),
    };
    this.#store.add(record, nowMs);
  }

  /** In the order of their issuance. */
  issuedUntil(untilMs: number): readonly CertificateRecord[] {
    const found: CertificateRecord[] = [];
    for (const record of this.#store.items()) if (record.issuedAtMs <= untilMs) found.push(record);
    return found;
  }

  /** Remembered with what is replaced, for as long as that lives. */
  markReplacement(serial: string, orderId: string, isIssued: boolean): void {
    const record = this.#store.get(serial);
    if (record !== undefined) this.#store.update({ ...record, replacement: { orderId, isIssued } });
  }

  isBlocked(fingerprint: string): boolean {
    return this.#blockedKeys.has(fingerprint);
  }

  /**
   * The record of exactly this certificate.
   * @throws Problem `malformed` when it is none of ours.
   */
  find(der: Uint8Array): { readonly record: CertificateRecord; readonly publicKey: KeyObject } {
    let serial: string;
    let publicKey: KeyObject;
    try {
      const certificate = new X509Certificate(der);
      serial = certificate.serialNumber.toLowerCase();
      publicKey = certificate.publicKey;
    } catch {
      throw new Problem('malformed', 'Unable to parse certificate DER');
    }
    const record = this.#store.get(serial);
    if (record === undefined || !Buffer.from(record.der).equals(der)) {
      throw new Problem('malformed', 'Certificate from unrecognized issuer', { status: 404 });
    }
    return { record, publicKey };
  }

  /** @throws Problem `badRevocationReason` | `alreadyRevoked` */
  revokeByAccount(record: CertificateRecord, reason: number, nowMs: number): void {
    if (!REASONS.has(reason)) throw new Problem('badRevocationReason', `unsupported revocation reason code: ${reason}`);
    if (record.revocation !== undefined) throw new Problem('alreadyRevoked', 'Certificate already revoked');
    this.#store.update({ ...record, revocation: { reason, atMs: nowMs } });
  }

  /** Whoever signs with the certificate's key shows that it is known: reason 1 whatever was said, and blocked. */
  revokeByKey(record: CertificateRecord, key: KeyObject, nowMs: number): void {
    if (record.revocation?.reason === KEY_COMPROMISE && this.isBlocked(keyFingerprint(key))) {
      throw new Problem('alreadyRevoked', 'Certificate already revoked');
    }
    if (this.#blockedKeys.size >= BLOCKED_KEY_LIMIT) {
      throw new Problem('serverInternal', 'Service busy; retry later.', { status: 503, retryAfterSeconds: 3600 });
    }
    this.#blockedKeys.add(keyFingerprint(key));
    this.#store.update({ ...record, revocation: { reason: KEY_COMPROMISE, atMs: nowMs } });
  }
}

/** Leaf and intermediate, without the root (RFC 8555 §9.1). */
export function chainPem(record: CertificateRecord): string {
  return pemOf(record.der) + record.issuerPem;
}
