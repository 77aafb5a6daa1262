/** Port: where orders and certificates survive. Every method is one atomic, durable transaction. */
import type { Order } from './order.ts';
import type { Acceptance, CertificateRequest } from './request.ts';
import type { CertificateWithChain, StoredCertificate } from './stored-certificate.ts';

/** @throws LanyardError `store-failed` when nothing was changed and the call may be repeated. */
export interface OrderStore {
  /** Decides by `decideRequest` and stores what it decided, with the key, in one transaction. */
  accept(request: CertificateRequest): Promise<Acceptance>;
  /** Stores the order's new state. False, and nothing changed: the stored order is for another key by now. */
  save(order: Order): Promise<boolean>;
  /** Stores the certificate and the order's new state together; the chain takes the place of the appliance's former one. */
  complete(order: Order, certificate: CertificateWithChain): Promise<void>;
  /** Every order that is not closed, oldest first. */
  openOrders(): Promise<readonly Order[]>;
  /** What is known about one appliance's certificates. */
  dossier(deviceId: string): Promise<Dossier>;
  /** The chain of the appliance's newest certificate; undefined when `fingerprint` is not that. */
  chain(deviceId: string, fingerprint: string): Promise<string | undefined>;
  /** Notes that the appliance serves its newest certificate, and returns it. Undefined when `fingerprint` is not that. */
  markInstalled(deviceId: string, fingerprint: string, nowMs: number): Promise<StoredCertificate | undefined>;
  /** Moves the renewal of the newest certificate to `renewAtMs`. False when there is none. */
  renewAt(deviceId: string, renewAtMs: number): Promise<boolean>;
}

export interface Dossier {
  readonly openOrder?: Order;
  /** The newest by time of issue. */
  readonly latestCertificate?: StoredCertificate;
}
