/** Port: the broker's own list of keys that are never certified again, whatever the CAs know of them. Rows only come. */

export interface RefusedKey {
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
  /** Its certificate was revoked for that, or somebody put it there by hand. */
  readonly reason: 'key-compromise' | 'operator';
  readonly sinceMs: number;
}

/** @throws LanyardError `store-failed`. */
export interface RefusedKeyStore {
  /** False: it is there already, and stays as it was. */
  add(key: RefusedKey): Promise<boolean>;
  has(keyHash: string): Promise<boolean>;
  /** By hash. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly RefusedKey[]>;
}
