/** What a report has to be told of a simulated world, as facts; the world tells more in them than is used here. */

/** One fact. `appliance` is its number in the run, from 0. */
export type Fact = { readonly atMs: number } & (
  | { readonly kind: 'powered'; readonly appliance: number; readonly isOn: boolean }
  | { readonly kind: 'connected' | 'disconnected'; readonly appliance: number }
  | { readonly kind: 'said'; readonly what: 'hello' | 'csr' | 'installed' | 'bye' | 'revocation' }
  | { readonly kind: 'told'; readonly what: 'state' | 'certificate' | 'problem' | 'revocation'; readonly about: string }
  | { readonly kind: 'problem'; readonly code: string }
  | {
      readonly kind: 'installed';
      readonly appliance: number;
      readonly isFirst: boolean;
      readonly waitedMs: number;
      /** What was left of the certificate that it replaces. */
      readonly marginMs?: number;
    }
  /** `excuse`: why it could not have got a new one. */
  | { readonly kind: 'expired'; readonly appliance: number; readonly excuse?: string }
  | { readonly kind: 'published'; readonly waitedMs: number }
  | { readonly kind: 'flash-written'; readonly appliance: number; readonly bytes: number }
  /**
   * `ordered`: `about` is what the CA took the order for; `limited`: refused by the limit that `about` names. `ca`: which
   * of several, when it is not the first.
   */
  | { readonly kind: 'authority'; readonly what: string; readonly about: string; readonly ca?: number }
  | { readonly kind: 'event'; readonly what: string; readonly phase: 'begins' | 'ends'; readonly ca?: number }
  /** `isStandIn`: for an appliance that did not ask. */
  | { readonly kind: 'order-opened'; readonly isStandIn?: boolean }
  /** Told to everybody, of no interest here. */
  | { readonly kind: 'order-closed' | 'moved' | 'broker' }
);

/** What one of the CA's token buckets holds. */
export interface BucketLevel {
  readonly name: string;
  readonly left: number;
  readonly burst: number;
}
