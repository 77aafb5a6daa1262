/** Single questions to a CA about an account, by whichever key they are signed with. */
import { LanyardError, deadline } from '@lanyard/sdk/kernel';
import type { Clock } from '@lanyard/sdk/kernel';
import { Client } from 'acme-client';
import { exchange } from './exchange.ts';
import type { Exchanged, ExchangeOptions } from './exchange.ts';
import { isObject, problemName, problemType } from './problems.ts';
import type { CaTransport } from './transport.ts';

export interface AccountInquiryOptions {
  readonly directoryUrl: string;
  readonly transport: CaTransport;
  readonly clock: Clock;
}

export interface KnownAccount {
  readonly url: string;
  /** `valid`, `deactivated` or `revoked` (RFC 8555 §7.1.6). */
  readonly status: string;
  readonly contact: readonly string[];
}

/** A key and the account that it signs for. */
export interface Signer {
  readonly keyPem: string;
  readonly url: string;
}

/** Over everything one question may send: a directory, a nonce, two requests, and their repeats after refused nonces. */
const QUESTION_TIMEOUT_MS = 120_000;
/** As many as a person reads; CAs take a handful. */
const MOST_CONTACTS = 20;

export class AccountInquiry {
  readonly #options: AccountInquiryOptions;

  constructor(options: AccountInquiryOptions) {
    this.#options = options;
  }

  /** The account of a key (RFC 8555 §7.3.1), made by nobody now; undefined when the CA knows none. */
  async find(keyPem: string, signal: AbortSignal): Promise<KnownAccount | undefined> {
    const client = this.#client(keyPem);
    try {
      const asked = await this.#ask('located', signal, () => client.createAccount({ onlyReturnExisting: true }));
      return viewOf(asked.value, client.getAccountUrl());
    } catch (error) {
      if (problemName(problemType(error)) === 'accountDoesNotExist') return undefined;
      throw error;
    }
  }

  /** As the CA shows it to its owner. */
  async look({ keyPem, url }: Signer, signal: AbortSignal): Promise<KnownAccount> {
    const client = this.#client(keyPem, url);
    return viewOf((await this.#ask('object', signal, () => client.updateAccount({}))).value, url);
  }

  /**
   * RFC 8555 §7.3.5. Once it is answered, the old key is worth nothing.
   * @throws LanyardError of which only `authority-refused` says that nothing was changed.
   */
  async changeKey({ keyPem, url }: Signer, nextKeyPem: string, signal: AbortSignal): Promise<void> {
    const client = this.#client(keyPem, url);
    const { directory } = await this.#ask('nothing', signal, () => client.getTermsOfServiceUrl());
    if (directory?.document['keyChange'] === undefined) {
      throw new LanyardError('authority-refused', { message: 'the CA does not offer to change keys' });
    }
    await this.#ask('nothing', signal, () => client.updateAccountKey(nextKeyPem));
  }

  /** RFC 8555 §7.3.6: for ever. */
  async deactivate({ keyPem, url }: Signer, signal: AbortSignal): Promise<void> {
    const client = this.#client(keyPem, url);
    await this.#ask('object', signal, () => client.updateAccount({ status: 'deactivated' }));
  }

  #client(accountKey: string, accountUrl?: string): Client {
    const { directoryUrl } = this.#options;
    return new Client({ directoryUrl, accountKey, ...(accountUrl === undefined ? {} : { accountUrl }) });
  }

  async #ask<T>(expect: ExchangeOptions['expect'], signal: AbortSignal, call: () => Promise<T>): Promise<Exchanged<T>> {
    const { clock, transport } = this.#options;
    using limit = deadline(clock, QUESTION_TIMEOUT_MS, signal);
    return await exchange({ subject: 'service', expect, transport, signal: limit.signal }, call);
  }
}

/** It is printed: what is not a word or a URL could write into a terminal. */
function viewOf(document: unknown, url: string): KnownAccount {
  const { status, contact } = isObject(document) ? document : {};
  const entries: readonly unknown[] = Array.isArray(contact) ? contact.slice(0, MOST_CONTACTS) : [];
  return {
    url,
    status: typeof status === 'string' && /^[a-z]{1,20}$/.test(status) ? status : 'unknown',
    contact: entries.filter((entry) => typeof entry === 'string').filter((entry) => /^[\x21-\x7e]{1,320}$/.test(entry)),
  };
}
