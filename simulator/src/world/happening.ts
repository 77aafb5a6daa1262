/** What happens in a simulated world, as facts that everybody watches: measurements, invariants, the event hash. */

/** One fact. `appliance` is its number in the run, from 0; facts about everything have none. */
export type Happening = { readonly atMs: number } & (
  | { readonly kind: 'powered'; readonly appliance: number; readonly isOn: boolean; readonly why: string }
  | { readonly kind: 'connected'; readonly appliance: number }
  | { readonly kind: 'disconnected'; readonly appliance: number; readonly why: string }
  /** A message of the appliance reached the broker. */
  | {
      readonly kind: 'said';
      readonly appliance: number;
      readonly what: 'hello' | 'csr' | 'installed' | 'bye' | 'revocation';
    }
  /** A message of the broker reached the appliance; `about` is what `state` asks for, or the problem's code. */
  | {
      readonly kind: 'told';
      readonly appliance: number;
      readonly what: 'state' | 'certificate' | 'problem' | 'revocation';
      readonly about: string;
    }
  /** The SDK reported a problem to its firmware. */
  | { readonly kind: 'problem'; readonly appliance: number; readonly code: string }
  /**
   * The broker opened an order for the appliance, or took another key for one that had not gone out. `isStandIn`: the
   * appliance did not ask for it, and the key is the one that it has.
   */
  | {
      readonly kind: 'order-opened';
      readonly appliance: number;
      readonly order: string;
      readonly keyHash: string;
      readonly isStandIn?: boolean;
    }
  | { readonly kind: 'order-closed'; readonly appliance: number; readonly order: string }
  /** `waitedMs`: since the appliance began to want it (power-on without one, or the broker's wish for a renewal). */
  | {
      readonly kind: 'installed';
      readonly appliance: number;
      readonly notAfterMs: number;
      readonly isFirst: boolean;
      readonly waitedMs: number;
      /** What was left of the certificate that it replaces; absent for the first. */
      readonly marginMs?: number;
    }
  /** Its certificate ended. `isExcused`: the appliance could not have got a new one, and why. */
  | { readonly kind: 'expired'; readonly appliance: number; readonly excuse?: string }
  /** The LAN gave it another address; then the DNS told it. */
  | { readonly kind: 'moved'; readonly appliance: number }
  | { readonly kind: 'published'; readonly appliance: number; readonly waitedMs: number }
  | { readonly kind: 'flash-written'; readonly appliance: number; readonly bytes: number }
  /** `ca`: which of several, when it is not the first. */
  | {
      readonly kind: 'authority';
      readonly appliance?: number;
      readonly what: AuthorityDeed;
      readonly about: string;
      readonly ca?: number;
    }
  | { readonly kind: 'broker'; readonly what: 'started' | 'stopped' | 'killed' }
  /** Something that the scenario does began or ended; `ca`: at which of several, when it is not the first. */
  | { readonly kind: 'event'; readonly what: string; readonly phase: 'begins' | 'ends'; readonly ca?: number }
);

/**
 * What the CA did. `ordered`: `about` is what it takes the order for, `new`, `renewal` (the same names again) or
 * `replacing` (in the window of what it replaces, so that nothing is counted). `limited`: 429 with the limit's name as
 * `about`; `busy`: 503 above a ceiling of requests; `cut`: a fault took a request or its answer, at the operation `about`.
 */
export type AuthorityDeed =
  | 'ordered'
  | 'certified'
  | 'validation-failed'
  | 'limited'
  | 'busy'
  | 'refused'
  | 'cut'
  | 'overdrawn'
  | 'revoked';

export type HappeningKind = Happening['kind'];

/** Somebody who is told of everything that happens, in its order. */
export type Witness = (happening: Happening) => void;
