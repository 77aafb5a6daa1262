/** Whether a request for a certificate opens an order, meets a running one or is refused. Pure. */
import type { Order, OrderPurpose } from './order.ts';
import type { StoredCertificate } from './stored-certificate.ts';

/** What an appliance asks for, already checked against the names that are its own. */
export interface CertificateRequest {
  /** Of the order that it may open. */
  readonly orderId: string;
  readonly deviceId: string;
  readonly names: readonly string[];
  readonly keyHash: string;
  readonly csr: Uint8Array;
  readonly requestedAtMs: number;
}

/** What the store knows about the appliance and the key. */
export interface RequestFacts {
  readonly openOrder: Order | undefined;
  readonly latestCertificate: StoredCertificate | undefined;
  /** Whose request first carried this key; undefined when it was never seen. */
  readonly keyFirstSeenFrom: string | undefined;
  /** Whether the key is on the list of refused keys. */
  readonly isKeyRefused: boolean;
}

export type Acceptance =
  /** Stored; the order may be run. */
  | { readonly kind: 'accepted'; readonly order: Order }
  /** The same request is already being worked on. */
  | { readonly kind: 'running'; readonly order: Order }
  /** The same request was already fulfilled. */
  | { readonly kind: 'issued'; readonly certificate: StoredCertificate }
  /** Another request of this appliance is at the CA. */
  | { readonly kind: 'busy'; readonly order: Order }
  | { readonly kind: 'key-reused' }
  /** Never again, not even the certificate that it has. */
  | { readonly kind: 'key-refused' };

/** Idempotent by appliance, key and names: a repeat never opens a second order. */
export function decideRequest(facts: RequestFacts, request: CertificateRequest): Acceptance {
  const { openOrder, latestCertificate } = facts;
  if (facts.isKeyRefused) return { kind: 'key-refused' };
  if (latestCertificate && isSame(latestCertificate, request) && latestCertificate.renewAtMs > request.requestedAtMs) {
    return { kind: 'issued', certificate: latestCertificate };
  }
  if (openOrder && isSame(openOrder, request)) return { kind: 'running', order: openOrder };
  if (facts.keyFirstSeenFrom !== undefined) return { kind: 'key-reused' };
  // An order that has not gone out yet is re-keyed in place: the appliance has lost the first key, as after a reset.
  if (openOrder && openOrder.state.kind !== 'waiting') return { kind: 'busy', order: openOrder };
  return { kind: 'accepted', order: openedOrder(request, openOrder, latestCertificate) };
}

function openedOrder(
  request: CertificateRequest,
  replaced: Order | undefined,
  latest: StoredCertificate | undefined,
): Order {
  const { orderId, deviceId, names, keyHash, csr, requestedAtMs } = request;
  const fresh = { deviceId, names, keyHash, csr, requestedAtMs };
  // The pause after earlier failures stays, or a new key would be a way around it.
  if (replaced) return { ...inItsPlace(replaced), ...fresh };
  const state = { kind: 'waiting', notBeforeMs: requestedAtMs, tries: 0 } as const;
  return { id: orderId, ...fresh, purpose: purposeOf(latest, requestedAtMs), failures: 0, state };
}

/** Whoever asks is awake, and no longer stood in for. */
function inItsPlace({ asleepSinceMs: _awake, ...order }: Order): Order {
  return order;
}

function purposeOf(latest: StoredCertificate | undefined, nowMs: number): OrderPurpose {
  if (latest === undefined) return { kind: 'first' };
  const { notAfterMs: expiresAtMs, renewAtMs, window } = latest;
  if (expiresAtMs <= nowMs) return { kind: 're-enrolment' };
  // Before its time: the appliance cannot use it, or the CA does not want it used.
  const isEarly =
    latest.revocation !== undefined || renewAtMs > nowMs || (window !== undefined && window.endMs <= nowMs);
  return { kind: isEarly ? 'replacement' : 'renewal', expiresAtMs };
}

function isSame(known: Order | StoredCertificate, request: CertificateRequest): boolean {
  return (
    known.keyHash === request.keyHash &&
    known.names.length === request.names.length &&
    known.names.every((name) => request.names.includes(name))
  );
}
