/** What an appliance should do next about its certificate, given what it has and what is stored. Pure. */
import type { HeldCertificate, Todo } from '@lanyard/sdk/protocol';
import type { Dossier } from './order-store.ts';
import { isFulfilled } from './order.ts';

export interface Standing {
  readonly nowMs: number;
  /** The names that are the appliance's own now. */
  readonly names: readonly string[];
  /** What the appliance said it serves. */
  readonly held: HeldCertificate | undefined;
  /** The key it said it waits with. */
  readonly pendingKeyHash: string | undefined;
  readonly dossier: Dossier;
}

/** Level-triggered: the answer depends on the facts of this moment only, so a lost message costs nothing. */
export function decideTodo(standing: Standing): Todo {
  const { openOrder, latestCertificate } = standing.dossier;
  if (openOrder && !isFulfilled(openOrder)) {
    const isExpected = openOrder.keyHash === standing.pendingKeyHash;
    return isExpected ? { kind: 'wait', keyHash: openOrder.keyHash } : { kind: 'request', reason: 'key-unknown' };
  }
  if (latestCertificate === undefined) return { kind: 'request', reason: 'first' };
  if (!hasExactly(latestCertificate.names, standing.names)) return { kind: 'request', reason: 'names-changed' };
  // Its key is not to be used any more, whoever still has it.
  if (latestCertificate.revocation) return { kind: 'request', reason: 'renewal' };
  if (latestCertificate.notAfterMs <= standing.nowMs) return { kind: 'request', reason: 'renewal' };
  if (standing.held?.fingerprint === latestCertificate.fingerprint) {
    return latestCertificate.renewAtMs <= standing.nowMs ? { kind: 'request', reason: 'renewal' } : { kind: 'nothing' };
  }
  const hasKey = [standing.held?.keyHash, standing.pendingKeyHash].includes(latestCertificate.keyHash);
  return hasKey
    ? { kind: 'install', fingerprint: latestCertificate.fingerprint }
    : { kind: 'request', reason: 'key-unknown' };
}

export function hasExactly(names: readonly string[], wanted: readonly string[]): boolean {
  return names.length === wanted.length && wanted.every((name) => names.includes(name));
}
