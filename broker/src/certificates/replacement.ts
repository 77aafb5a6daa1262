/** Certificates that are to go before their time: one that is revoked, or all of them because the CA must revoke them. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger } from '@lanyard/sdk/kernel';
import type { Issuers } from './issuers.ts';
import type { KeyRevocation } from './key-revocation.ts';
import type { OrderStore } from './order-store.ts';
import type { RevocationReason, StoredCertificate } from './stored-certificate.ts';

export interface ReplacementParts {
  readonly store: Pick<OrderStore, 'dossier' | 'chain' | 'noteRevoked' | 'replaceAll'>;
  readonly issuers: Pick<Issuers, 'byId'>;
  readonly keyRevocation: Pick<KeyRevocation, 'revoke'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** By whom a revocation is signed, and why the certificate is revoked. */
export type RevocationRequest =
  | { readonly signedBy: 'account'; readonly reason: RevocationReason }
  /** With the certificate's own key: for no other reason does a CA block it. */
  | { readonly signedBy: 'appliance'; readonly reason: 'key-compromise' };

export class Replacement {
  readonly #parts: ReplacementParts;

  constructor(parts: ReplacementParts) {
    this.#parts = parts;
  }

  /**
   * Revokes the newest certificate of an appliance; from then on it is asked for a new one with a new key. At the CA
   * first: what is noted as revoked is revoked. Repeated after a crash in between, it does no harm.
   * @throws LanyardError `certificate-missing` | `authority-not-configured` | `revocation-unsigned`, or what the CA and the
   *   store throw.
   */
  async revoke(deviceId: string, request: RevocationRequest, signal: AbortSignal): Promise<StoredCertificate> {
    const { store, issuers, keyRevocation, clock, log } = this.#parts;
    const { reason, signedBy } = request;
    const { latestCertificate } = await store.dossier(deviceId);
    if (latestCertificate === undefined) throw new LanyardError('certificate-missing');
    const { fingerprint, serial } = latestCertificate;
    const chain = await store.chain(deviceId, fingerprint);
    if (chain === undefined) throw new LanyardError('certificate-missing', { message: 'it was superseded just now' });
    const issuer = issuers.byId(latestCertificate.authority);
    if (issuer === undefined) {
      const message = `it was issued by ${latestCertificate.authority}, which is not in the settings any more`;
      throw new LanyardError('authority-not-configured', { message });
    }
    const { authority } = issuer;
    if (signedBy === 'account') await authority.revoke(chain, reason, signal);
    else await keyRevocation.revoke({ deviceId, fingerprint, chain, authority }, signal);
    const revocation = { reason, atMs: clock.nowMs() };
    await store.noteRevoked(fingerprint, revocation);
    log.warn({ deviceId, fingerprint, serial, reason, signedBy }, 'certificate revoked');
    return { ...latestCertificate, revocation, renewAtMs: revocation.atMs };
  }

  /** Has every certificate replaced within `withinMs`, evenly. @returns how many there are. */
  async replaceAll(withinMs: number, isDryRun: boolean): Promise<number> {
    const { store, clock, log } = this.#parts;
    const count = await store.replaceAll(clock.nowMs(), withinMs, isDryRun);
    if (!isDryRun)
      log.warn({ certificates: count, withinHours: withinMs / 3_600_000 }, 'every certificate is replaced');
    return count;
  }
}
