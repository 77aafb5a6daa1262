/** How another ACME client keeps its account in a directory. */

export interface AccountFormat {
  /** The file that tells the format. */
  readonly keyFile: string;
  /** @throws LanyardError `account-unusable`. */
  read(directory: string, directoryUrl: string): Promise<FoundAccount>;
  /** As that client would have written it. */
  write(account: SharedAccount): AccountFolder;
}

export interface FoundAccount {
  /** PKCS#8 PEM. */
  readonly keyPem: string;
  /** Absent when the client did not note it, or noted an older one: the CA knows it by the key. */
  readonly url?: string;
}

export interface SharedAccount {
  readonly directoryUrl: string;
  readonly keyPem: string;
  readonly url: string;
  /** What the CA last said about it, as far as known. */
  readonly contact: readonly string[];
  /** When it is written. */
  readonly nowMs: number;
}

export interface AccountFolder {
  /** Below the client's own directory. */
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
}
