/** A place where appliances stand: one LAN behind one NAT. */

export interface Site {
  readonly name: string;
  readonly kind: SiteKind;
  /** First three numbers of the LAN, for instance `192.168.1`; sites collide on purpose, as they do in the world. */
  readonly lan: string;
  /** What the Internet sees; sites behind the same carrier-grade NAT share it. */
  readonly publicAddress: string;
  /** A line on which nothing is said for so long is forgotten by the NAT, and neither end is told. */
  readonly mappingIdleMs: number;
  /** Lets nothing out but port 443. */
  readonly isStrict: boolean;
  /** The resolver of the LAN hides private addresses in answers: visitors do not find the appliance by its name. */
  readonly hasRebindingFilter: boolean;
}

export type SiteKind = 'home' | 'office' | 'cgnat' | 'double-nat';

/** A site that gets in nobody's way. */
export const UNHINDERED = { mappingIdleMs: Infinity, isStrict: false, hasRebindingFilter: false } as const;
