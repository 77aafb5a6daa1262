/**
 * The stand-in renewal: what an appliance does not ask for, because it sleeps, is ordered by the broker from the signing
 * request on file, so that it finds its certificate waiting. The key is the one that it has; it never leaves it. Pure.
 */
import type { StandInWish } from '../order-store.ts';
import type { Order, OrderPurpose } from '../order.ts';
import { hasExactly } from '../standing.ts';
import type { StoredCertificate } from '../stored-certificate.ts';

/** Half of the time that is left when the renewal is due: as long as the appliance has to ask, the broker has to try. */
export function unattendedAt({ renewAtMs, notAfterMs }: Pick<StoredCertificate, 'renewAtMs' | 'notAfterMs'>): number {
  return (renewAtMs + notAfterMs) / 2;
}

/** Since when the appliance has been missed, once the renewal of its newest certificate is due. */
export function asleepSince({ installedAtMs, asleepSinceMs, renewAtMs }: StoredCertificate): number {
  // Whoever installed it was awake after it was ordered.
  return installedAtMs === undefined ? (asleepSinceMs ?? renewAtMs) : renewAtMs;
}

export interface Absence {
  readonly certificate: StoredCertificate;
  /** The names that are the appliance's own now; undefined: it is to have no certificate. */
  readonly ownNames: readonly string[] | undefined;
  /** For how long stand-in renewals go on. */
  readonly cutOffMs: number;
  readonly nowMs: number;
}

export type AbsenceAnswer =
  | { readonly kind: 'order'; readonly asleepSinceMs: number }
  | { readonly kind: 'leave'; readonly why: string };

/** Whether the broker stands in for an appliance that has not asked in time. */
export function judgeAbsence({ certificate, ownNames, cutOffMs, nowMs }: Absence): AbsenceAnswer {
  const asleepSinceMs = asleepSince(certificate);
  // Its key is not to be used any more.
  if (certificate.revocation) return { kind: 'leave', why: 'it was revoked' };
  if (ownNames === undefined) return { kind: 'leave', why: 'the appliance is disabled or unknown' };
  if (!hasExactly(certificate.names, ownNames)) return { kind: 'leave', why: 'its names are not the appliance’s' };
  if (nowMs > asleepSinceMs + cutOffMs) return { kind: 'leave', why: 'the appliance has slept for too long' };
  return { kind: 'order', asleepSinceMs };
}

/** What the store knows about the appliance at the moment of the transaction. */
export interface StandInFacts {
  readonly openOrder: Order | undefined;
  readonly latestCertificate: StoredCertificate | undefined;
  /** Of the order that the newest certificate came from; undefined or empty: it is not there any more. */
  readonly csr: Uint8Array | undefined;
}

export type StandInDecision =
  | { readonly kind: 'open'; readonly order: Order }
  /** Somebody moved the renewal: it is due later. */
  | { readonly kind: 'later' }
  /** Something else has come, or nothing is on file. */
  | { readonly kind: 'never' };

export function decideStandIn({ openOrder, latestCertificate, csr }: StandInFacts, wish: StandInWish): StandInDecision {
  const { fingerprint, orderId: id, asleepSinceMs, nowMs } = wish;
  if (openOrder || latestCertificate?.fingerprint !== fingerprint || !csr?.length) return { kind: 'never' };
  const { deviceId, names, keyHash, notAfterMs, unattendedAtMs } = latestCertificate;
  if (unattendedAtMs === undefined) return { kind: 'never' };
  if (unattendedAtMs > nowMs) return { kind: 'later' };
  // Never as a replacement, however late: whoever is awake goes first.
  const purpose: OrderPurpose =
    notAfterMs <= nowMs ? { kind: 're-enrolment' } : { kind: 'renewal', expiresAtMs: notAfterMs };
  const state = { kind: 'waiting', notBeforeMs: nowMs, tries: 0 } as const;
  const order = { id, deviceId, names, keyHash, csr, requestedAtMs: nowMs, failures: 0, purpose, asleepSinceMs, state };
  return { kind: 'open', order };
}
