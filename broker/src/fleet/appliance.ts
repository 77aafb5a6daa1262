/** An appliance as the broker knows it, and the name that is its own for ever. */

export interface Appliance {
  readonly deviceId: string;
  /** Apex of the zone that the name lives in, lower case, no trailing dot. */
  readonly zone: string;
  /** The random label under the zone; bound once, never given to another appliance. */
  readonly label: string;
  /** SHA-256 of the identity key's SubjectPublicKeyInfo, lower-case hex. */
  readonly identityKeyHash: string;
  readonly status: 'active' | 'disabled';
  readonly enrolledAtMs: number;
  /** Addresses that the name points at now. */
  readonly published: readonly string[];
  /** What it said of itself in its last hello; absent before the first. */
  readonly lastHello?: LastHello;
}

export interface LastHello {
  readonly atMs: number;
  readonly sdkVersion: string;
  readonly firmwareVersion?: string;
  readonly model?: string;
  readonly rebinding: 'ok' | 'blocked' | 'unknown';
}

/** The appliance's DNS name, lower case, no trailing dot. */
export function nameOf(appliance: Pick<Appliance, 'label' | 'zone'>): string {
  return `${appliance.label}.${appliance.zone}`;
}
