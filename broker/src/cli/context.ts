/** What a command needs of the process that it runs in. */
import type { Clock, Random } from '@lanyard/sdk/kernel';

export interface CommandContext {
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Standard input. */
  readonly input: () => AsyncIterable<Uint8Array>;
  /** Runs the broker until the process is told to stop. */
  readonly serve: (configPath: string) => Promise<void>;
  /** Makes the private CA's certificate and key, both PEM. */
  readonly createPrivateCa: (name: string) => Promise<{ readonly certificatePem: string; readonly keyPem: string }>;
  /** The account at a CA of these settings, as long as `use` takes. */
  readonly withAccountDesk: (which: WhichAccount, use: (desk: AccountDesk) => Promise<void>) => Promise<void>;
  /** Looks at the installation of these settings from outside. */
  readonly examine: (what: WhatToExamine) => Promise<readonly Finding[]>;
}

export interface WhatToExamine {
  readonly configPath: string;
  /** Empty: the system's. */
  readonly resolvers: readonly string[];
}

/** What one check of the doctor found. */
export type Finding =
  | { readonly check: string; readonly severity: 'ok' | 'skipped'; readonly what: string }
  | {
      readonly check: string;
      readonly severity: 'warning' | 'error';
      readonly what: string;
      readonly why: string;
      readonly mend: string;
    };

export interface WhichAccount {
  readonly configPath: string;
  /** Its directory URL, or a part of it; undefined: the first of the settings. */
  readonly ca: string | undefined;
}

/** What can be done to the account at the CA without a broker. */
export interface AccountDesk {
  show(wishes: { readonly isOffline: boolean }): Promise<AccountView>;
  import(
    directory: string,
    wishes: { readonly format: AccountFormat | 'auto'; readonly isForced: boolean; readonly isOffline: boolean },
  ): Promise<{
    readonly url: string | undefined;
    readonly key: AccountKey;
    /** Where the account went that was there before. */
    readonly keptAside: string | undefined;
  }>;
  /** Resolves with the directory that it made. */
  export(directory: string, format: AccountFormat): Promise<string>;
  rollOver(): Promise<AccountKey>;
  /** Resolves with where the account went that can do nothing any more. */
  deactivate(): Promise<string>;
}

export type AccountFormat = 'certbot' | 'dehydrated';

export interface AccountKey {
  readonly kind: string;
  /** RFC 7638. */
  readonly thumbprint: string;
}

export interface AccountView {
  readonly directoryUrl: string;
  readonly file: string;
  readonly url: string | undefined;
  readonly key: AccountKey;
  readonly isKeyChanging: boolean;
  readonly atCa: { readonly url: string; readonly status: string; readonly contact: readonly string[] } | undefined;
  /** Why the CA was asked in vain. */
  readonly complaint: string | undefined;
}
