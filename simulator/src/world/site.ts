/** A place where appliances stand: one LAN behind one NAT. */

export interface Site {
  readonly name: string;
  readonly kind: 'home' | 'office' | 'cgnat';
  /** First three numbers of the LAN, for instance `192.168.1`; sites collide on purpose, as they do in the world. */
  readonly lan: string;
  /** What the Internet sees; sites behind the same carrier-grade NAT share it. */
  readonly publicAddress: string;
}
