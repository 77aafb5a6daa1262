/** Port: where orders, certificates and budgets survive. Every method is one atomic, durable transaction. */
import type { BucketChange, BucketLevel } from './budget/bucket.ts';
import type { Placement } from './budget/placement.ts';
import type { PlacementWish, Short } from './budget/placement-wish.ts';
import type { Order } from './order.ts';
import type { Acceptance, CertificateRequest } from './request.ts';
import type { CertificateWithChain, RenewalWindow, Revocation, StoredCertificate } from './stored-certificate.ts';

/** @throws LanyardError `store-failed` when nothing was changed and the call may be repeated. */
export interface OrderStore {
  /** Decides by `decideRequest` and stores what it decided, with the key, in one transaction. */
  accept(request: CertificateRequest): Promise<Acceptance>;
  /**
   * Decides by `decidePlacement` whether the CA may be asked, and stores what that spends with the order as it then is:
   * in the state `ordering`, with its placement. A short budget changes nothing.
   */
  place(wish: PlacementWish): Promise<Placed>;
  /**
   * Stores the order's new state and what it does to the budget. False, and nothing changed: the stored order is for
   * another key by now.
   */
  save(order: Order, changes?: readonly BucketChange[]): Promise<boolean>;
  /** Stores the certificate and the order's new state together; the chain takes the place of the appliance's former one. */
  complete(order: Order, certificate: CertificateWithChain, changes?: readonly BucketChange[]): Promise<void>;
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
  /**
   * Notes that a certificate was revoked; if it is the newest, its replacement is due from then on. A compromised key is
   * refused from then on.
   */
  noteRevoked(fingerprint: string, revocation: Revocation): Promise<void>;
  /**
   * Makes the replacement of every newest certificate that is alive at `fromMs` due at an instant of its own, evenly
   * within `withinMs` from then; what is due before stays.
   * @returns how many there are. @param isDryRun only counts them.
   */
  replaceAll(fromMs: number, withinMs: number, isDryRun: boolean): Promise<number>;
  /**
   * Up to `limit` newest certificates that this account of a CA issued and whose renewal information is to be asked for
   * by `nowMs`, the most overdue first.
   */
  toLookUp(authority: string, nowMs: number, limit: number): Promise<readonly StoredCertificate[]>;
  /** When the next of them is due; undefined when there is none. */
  nextLookUpMs(authority: string): Promise<number | undefined>;
  /**
   * Notes what the CA said of a certificate. False when it is not the appliance's newest any more. The instant stays when
   * it is not the one that was looked up: somebody moved it while the CA was asked.
   */
  noteRenewal(lookedUp: LookedUp, renewal: NotedRenewal): Promise<boolean>;
  /** Up to `limit` newest certificates that no appliance asked to renew until `nowMs`, the most overdue first. */
  unattended(nowMs: number, limit: number): Promise<readonly StoredCertificate[]>;
  /** When the next of them is due; undefined when there is none. */
  nextUnattendedMs(): Promise<number | undefined>;
  /**
   * Decides by `decideStandIn` whether an order is opened from the signing request on file, and stores it. Undefined: the
   * facts have changed. Either way the certificate is not among the unattended any more, unless it is due later by now.
   */
  standIn(wish: StandInWish): Promise<Order | undefined>;
  /** The certificate is not renewed in its appliance's absence. */
  leaveUnattended(fingerprint: string): Promise<void>;
  /** Every bucket of the account that is not full at `nowMs`, the emptiest first, at most `limit`. */
  levels(authority: string, nowMs: number, limit: number): Promise<readonly BucketLevel[]>;
}

export type LookedUp = Pick<StoredCertificate, 'fingerprint' | 'renewAtMs'>;

/** A stand-in renewal that is wanted. */
export interface StandInWish {
  readonly deviceId: string;
  /** Of the certificate that is to be renewed. */
  readonly fingerprint: string;
  /** Of the order that it may open. */
  readonly orderId: string;
  readonly asleepSinceMs: number;
  readonly nowMs: number;
}

/** What the CA said of a certificate's renewal, and what follows. */
export interface NotedRenewal {
  readonly renewAtMs: number;
  /** Undefined: the CA has not said. */
  readonly window: RenewalWindow | undefined;
  readonly explanationUrl?: string;
  /** When to ask again; undefined: never. */
  readonly lookUpAtMs: number | undefined;
}

export type Placed =
  | { readonly kind: 'placed'; readonly order: Order; readonly placement: Placement }
  | Short
  /** It was placed before, and the answer of the store was lost: it goes on from `order`. */
  | { readonly kind: 'ahead'; readonly order: Order }
  /** The stored order is for another key by now; nothing changed. */
  | { readonly kind: 'replaced' };

export interface Dossier {
  readonly openOrder?: Order;
  /** The newest by time of issue. */
  readonly latestCertificate?: StoredCertificate;
}
