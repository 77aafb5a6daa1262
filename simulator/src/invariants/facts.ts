/** Port: what an invariant has to look up, because it does not happen but is so. CAs are numbered from 0. */

export interface Facts {
  /** How many appliances there are; they are numbered from 0. */
  readonly appliances: number;
  nowMs(): number;
  /** The name that the vendor bound to it; undefined before it is enrolled. */
  nameOf(appliance: number): string | undefined;
  /** Its address in its LAN. */
  addressOf(appliance: number): string;
  isOn(appliance: number): boolean;
  /** Since when power, network and broker have all been there for it without a break; undefined while one is not. */
  inTouchSinceMs(appliance: number): number | undefined;
  /** Another box has, or had, the same identity: which of them is meant by a name is anybody's guess. */
  hasTwin(appliance: number): boolean;
  /** Messages vanish at present. */
  isLossy(): boolean;
  /** Within which appliances that lost the broker come back to it. */
  readonly reconnectSpreadMs: number;
  /** IPv4 addresses that the name leads to; undefined while nobody answers for it. */
  addressRecords(name: string): readonly string[] | undefined;
  /** How many TXT records stand at `_acme-challenge.<name>`. */
  challengeRecords(name: string): number;
  /** What the appliance serves. */
  certificateOf(appliance: number): CertificateOutline | undefined;
  /** What the CA certified last; asked when that has just happened. */
  lastCertified(ca: number): CertificateOutline | undefined;
  /** How many orders the broker works at at once. */
  readonly ordersAtOnce: number;
  /** Nobody gets anything from the CA. */
  isAuthorityAway(ca: number): boolean;
  /** How often the CA wants to be asked when to renew (RFC 9773); 0: it does not say. */
  renewalPollMs(ca: number): number;
  /** False while the CA is made to hand out certificates that fit nobody. */
  certifiesRightly(ca: number): boolean;
}

export interface CertificateOutline {
  readonly names: readonly string[];
  readonly notAfterMs: number;
}
