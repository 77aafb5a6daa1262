/** Port: where an appliance keeps what must survive a power cut. */

/** `current`: key and certificate in use, together. `previous`: the pair before. `pending`: a key that waits for its certificate. */
export const VAULT_ENTRIES = ['current', 'previous', 'pending'] as const;
export type VaultEntry = (typeof VAULT_ENTRIES)[number];

export interface Vault {
  /**
   * The bytes last written, or undefined when there are none.
   * @throws LanyardError `vault-corrupt` when the entry fails its checksum; it is set aside, the next read finds nothing.
   */
  read(entry: VaultEntry): Promise<Uint8Array | undefined>;
  /**
   * Replaces the entry whole: after a power cut at any instant either the old or the new bytes are there. When it
   * resolves, the bytes are on the medium and readable by the owner only.
   * @throws LanyardError `vault-unwritable`; the old bytes are still there.
   */
  write(entry: VaultEntry, bytes: Uint8Array): Promise<void>;
  /** Forgets the entry; harmless when there is none. */
  remove(entry: VaultEntry): Promise<void>;
}
