/** One of the crowd, whatever it is made of: what can be done to it, and how it stands. */

export interface Member {
  powerOn(why: string): Promise<void>;
  /** Nobody is told. */
  powerCut(why: string): Promise<void>;
  reboot(): Promise<void>;
  /** Forgets everything but who it is. */
  factoryReset(): Promise<void>;
  /** DHCP gives it another address. */
  move(): void;
  standing(): Standing;
}

export interface Standing {
  readonly isOn: boolean;
  readonly isConnected: boolean;
  /** It holds a certificate. */
  readonly isCertified: boolean;
}
