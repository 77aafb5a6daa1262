/** The account at a CA: a key that must outlive every crash, and the URL that the CA gave to it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { crypto } from 'acme-client';

export interface AccountRecord {
  /** The CA that the key was made for: an account key serves one CA only. */
  readonly directoryUrl: string;
  /** PKCS#8 PEM. Never logged. */
  readonly keyPem: string;
  /** The account's URL, once the CA has answered newAccount. */
  readonly url?: string;
  /** A key that the CA was asked to put in place of `keyPem`, as long as its word on it is not known. */
  readonly nextKeyPem?: string;
}

export interface AccountStore {
  /** @returns undefined when there is none yet. */
  read(): Promise<AccountRecord | undefined>;
  /** Resolves only when the record would survive a power cut. */
  write(record: AccountRecord): Promise<void>;
}

/**
 * The stored account, or a new key, already stored: newAccount is idempotent by key (RFC 8555 §7.3), so that a crash
 * between its sending and its answer finds the same account again instead of making a second one.
 * @throws LanyardError `config-invalid` when the stored account belongs to another CA.
 */
export async function loadAccount(store: AccountStore, directoryUrl: string): Promise<AccountRecord> {
  const stored = await store.read();
  if (stored !== undefined && stored.directoryUrl !== directoryUrl) {
    const message = `the stored account belongs to ${stored.directoryUrl}, not to ${directoryUrl}`;
    throw new LanyardError('config-invalid', { message });
  }
  if (stored !== undefined) return stored;
  const record = { directoryUrl, keyPem: await newAccountKey() };
  await store.write(record);
  return record;
}

/** PKCS#8 PEM, as small as keys get that every CA takes. */
export async function newAccountKey(): Promise<string> {
  return (await crypto.createPrivateEcdsaKey('P-256')).toString('ascii');
}
