/** Port: where the accounts of the acme-dns API outlive the process. */
import type { AcmeDnsAccount } from './account.ts';

export interface AccountStore {
  /** All of them, in the order in which they were made. */
  list(): Promise<readonly AcmeDnsAccount[]>;
  add(account: AcmeDnsAccount): Promise<void>;
  /** Harmless when there is no such account any more. */
  noteTexts(label: string, texts: readonly string[], atMs: number): Promise<void>;
  remove(label: string): Promise<void>;
}
