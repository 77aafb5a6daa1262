/** What an operator does to the account at the CA while no broker runs: look, carry it in and out, change its key, end it. */
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import { FORMATS, formatOf } from './account-files/formats.ts';
import type { FormatName } from './account-files/formats.ts';
import { writeFolder } from './account-files/write-folder.ts';
import { AccountInquiry } from './account-inquiry.ts';
import type { AccountInquiryOptions, KnownAccount, Signer } from './account-inquiry.ts';
import { viewKey } from './account-key.ts';
import type { AccountKeyView } from './account-key.ts';
import type { AccountRecord } from './account.ts';
import { FileAccountStore } from './file-account-store.ts';
import { rollOver, settleRollover } from './key-rollover.ts';

export interface AccountDeskOptions extends AccountInquiryOptions {
  /** Where the account of this CA is stored. */
  readonly file: string;
  readonly signal: AbortSignal;
}

export interface AccountView {
  readonly directoryUrl: string;
  readonly file: string;
  /** Unknown until the CA has answered newAccount. */
  readonly url: string | undefined;
  readonly key: AccountKeyView;
  /** A change of the key was begun and its end is not known. */
  readonly isKeyChanging: boolean;
  /** Undefined when it was not asked, or did not answer. */
  readonly atCa: KnownAccount | undefined;
  /** Why it did not answer. */
  readonly complaint: string | undefined;
}

export interface ImportWishes {
  readonly format: FormatName | 'auto';
  /** Replace what is stored, which is kept beside it. */
  readonly isForced: boolean;
  readonly isOffline: boolean;
}

export interface ImportedAccount {
  readonly url: string | undefined;
  readonly key: AccountKeyView;
  /** Where the account went that was there before. */
  readonly keptAside: string | undefined;
}

export class AccountDesk {
  readonly #options: AccountDeskOptions;
  readonly #store: FileAccountStore;
  readonly #inquiry: AccountInquiry;

  constructor(options: AccountDeskOptions) {
    this.#options = options;
    this.#store = new FileAccountStore({ path: options.file });
    this.#inquiry = new AccountInquiry(options);
  }

  /** @throws LanyardError `account-unusable` when there is none. */
  async show({ isOffline }: { readonly isOffline: boolean }): Promise<AccountView> {
    const record = await this.#stored();
    const { keyPem, url, nextKeyPem } = record;
    const asked: { atCa?: KnownAccount; complaint?: string } = isOffline
      ? {}
      : await this.#atCa(record).catch((error: unknown) => ({ complaint: describeError(error) }));
    return {
      directoryUrl: this.#options.directoryUrl,
      file: this.#options.file,
      url: url ?? asked.atCa?.url,
      key: viewKey(keyPem),
      isKeyChanging: nextKeyPem !== undefined,
      atCa: asked.atCa,
      complaint: asked.complaint,
    };
  }

  /**
   * Takes over another client's account. Nothing is stored before all is checked; unless it is offline, the CA's word
   * counts on whether it knows the key and by which URL.
   * @throws LanyardError `account-unusable` | `config-exists` when there is one already | what the CA says.
   */
  async import(directory: string, { format, isForced, isOffline }: ImportWishes): Promise<ImportedAccount> {
    const { directoryUrl, signal } = this.#options;
    const reader = format === 'auto' ? await formatOf(directory) : FORMATS[format];
    const found = await reader.read(directory, directoryUrl);
    const stored = await this.#store.read();
    const key = viewKey(found.keyPem);
    const isSame = stored !== undefined && viewKey(stored.keyPem).thumbprint === key.thumbprint;
    if (stored !== undefined && !isSame && !isForced) throw this.#taken();
    const url = isOffline ? found.url : await this.#verified(found.keyPem, signal);
    const keptAside = stored === undefined || isSame ? undefined : await this.#store.copyAside(this.#stamp('replaced'));
    const before: Partial<AccountRecord> = isSame ? stored : {};
    await this.#store.write({ ...before, directoryUrl, keyPem: found.keyPem, ...(url === undefined ? {} : { url }) });
    return { url: url ?? before.url, key, keptAside };
  }

  /**
   * Writes the account as another client keeps it, into a new directory below the given one.
   * @returns that directory.
   * @throws LanyardError `account-unusable` | `config-exists` | `config-unreadable`.
   */
  async export(directory: string, format: FormatName): Promise<string> {
    const { directoryUrl, clock } = this.#options;
    const record = await this.#usable();
    if (record.nextKeyPem !== undefined) throw unusable('a change of its key is under way: finish it first');
    const { keyPem, url } = record;
    const folder = FORMATS[format].write({ directoryUrl, keyPem, url, contact: [], nowMs: clock.nowMs() });
    return await writeFolder(directory, folder);
  }

  /** @returns the new key. */
  async rollOver(): Promise<AccountKeyView> {
    const changed = await rollOver(this.#parts, await this.#usable(), this.#options.signal);
    return viewKey(changed.keyPem);
  }

  /** @returns where the account went that can do nothing any more. */
  async deactivate(): Promise<string> {
    const { signal } = this.#options;
    const record = await this.#usable();
    const { keyPem } = await settleRollover(this.#parts, record, signal);
    await this.#inquiry.deactivate({ keyPem, url: record.url }, signal);
    const kept = await this.#store.copyAside(this.#stamp('deactivated'));
    await this.#store.remove();
    return kept;
  }

  get #parts(): { readonly store: FileAccountStore; readonly inquiry: AccountInquiry } {
    return { store: this.#store, inquiry: this.#inquiry };
  }

  /** By the old key, or by the one that may have taken its place. */
  async #atCa({ keyPem, url, nextKeyPem }: AccountRecord): Promise<{ atCa?: KnownAccount; complaint?: string }> {
    const { signal } = this.#options;
    const atCa =
      (nextKeyPem === undefined ? undefined : await this.#inquiry.find(nextKeyPem, signal)) ??
      (await (url === undefined ? this.#inquiry.find(keyPem, signal) : this.#inquiry.look({ keyPem, url }, signal)));
    return atCa === undefined ? { complaint: 'it does not know this key' } : { atCa };
  }

  async #verified(keyPem: string, signal: AbortSignal): Promise<string> {
    const known = await this.#inquiry.find(keyPem, signal);
    if (known === undefined) throw unusable(`${this.#options.directoryUrl} does not know the key`);
    if (known.status !== 'valid') throw unusable(`at the CA it is ${known.status}`);
    return known.url;
  }

  async #usable(): Promise<AccountRecord & Signer> {
    const record = await this.#stored();
    const { url } = record;
    if (url === undefined) throw unusable('the CA has not given it a URL yet: start the broker once');
    return { ...record, url };
  }

  async #stored(): Promise<AccountRecord> {
    const record = await this.#store.read();
    const { directoryUrl, file } = this.#options;
    if (record === undefined) throw unusable(`${file} is not there: the broker makes one when it first starts`);
    if (record.directoryUrl !== directoryUrl) throw unusable(`${file} belongs to ${record.directoryUrl}`);
    return record;
  }

  #taken(): LanyardError {
    const message = `${this.#options.file} holds another account already; --force keeps it aside and takes this one`;
    return new LanyardError('config-exists', { message });
  }

  #stamp(what: string): string {
    return `${what}-${new Date(this.#options.clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')}`;
  }
}

function unusable(fault: string): LanyardError {
  return new LanyardError('account-unusable', { message: `the account cannot be used: ${fault}` });
}
