/** The broker's account at one CA: opened before the first call, whenever the CA can be reached, and asked through. */
import { LanyardError, deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock, ErrorCode, Logger, Runnable } from '@lanyard/sdk/kernel';
import type { Client } from 'acme-client';
import { AccountInquiry } from './account-inquiry.ts';
import { loadAccount } from './account.ts';
import type { AccountRecord, AccountStore } from './account.ts';
import type { Directory } from './directory.ts';
import { exchange } from './exchange.ts';
import type { Exchanged, ExchangeOptions } from './exchange.ts';
import type { ExternalAccount } from './external-account.ts';
import { ForgottenAccount, isForgotten } from './forgotten-account.ts';
import { settleRollover } from './key-rollover.ts';
import { openClient } from './open-client.ts';
import { plainGet } from './plain-get.ts';
import type { Shown } from './plain-get.ts';
import { registrationError } from './registration-refusal.ts';
import { abandoned } from './transport.ts';
import type { CaTransport } from './transport.ts';

export interface AccountSessionOptions {
  readonly directoryUrl: string;
  readonly account: AccountStore;
  /** Started and stopped by whoever made it; for this CA alone. */
  readonly transport: CaTransport;
  readonly clock: Clock;
  readonly log: Logger;
  /** `mailto:` URLs that the CA may write to. */
  readonly contact?: readonly string[];
  /** The certificate profile of orders that name none. */
  readonly profile?: string;
  /** Ties the account to a customer of the CA (RFC 8555 §7.3.4), which most CAs besides Let's Encrypt demand. */
  readonly externalAccount?: ExternalAccount;
  /** For bad days: whatever is wrong with it must not keep the broker from starting on a good one. */
  readonly isSpare?: boolean;
}

/** What an exchange is about, and what it brings. */
export type Purpose = Pick<ExchangeOptions, 'subject' | 'expect'>;

/** Over everything one call may send: a nonce, the request, and its repeats after refused nonces. */
const CALL_TIMEOUT_MS = 120_000;
/** What passes by itself: the CA is down, busy, or behind a broken proxy. */
const TEMPORARY: readonly ErrorCode[] = ['authority-unreachable', 'authority-rate-limited', 'authority-protocol'];

export class AccountSession implements Runnable {
  readonly #options: AccountSessionOptions;
  readonly #forgotten: ForgottenAccount;
  #onAccount: (accountUrl: string) => void = () => {};
  #life: AbortController | undefined;
  #opening: Promise<Client> | undefined;
  #client: Client | undefined;
  #directory: Directory | undefined;
  #accountUrl: string | undefined;

  constructor(options: AccountSessionOptions) {
    this.#options = options;
    this.#forgotten = new ForgottenAccount(options);
  }

  /** Called whenever the CA has given the account a URL: for the first time, or another one. Must not throw. */
  onAccount(listener: (accountUrl: string) => void): void {
    this.#onAccount = listener;
  }

  /** For CAA's accounturi (RFC 8657): known once the CA has answered newAccount, from then on at every start. */
  get accountUrl(): string | undefined {
    return this.#accountUrl;
  }

  /** As the CA last sent it: known once the account is open. */
  get directory(): Directory | undefined {
    return this.#directory;
  }

  /**
   * Loads or makes the account. A CA that cannot be reached does not keep the broker from starting: the next call
   * tries again.
   * @throws LanyardError `config-unreadable` | `config-invalid` (account file, profile) | `authority-refused`
   */
  async start(): Promise<void> {
    if (this.#life !== undefined) return;
    const life = new AbortController();
    this.#life = life;
    try {
      this.#accountUrl = (await loadAccount(this.#options.account, this.#options.directoryUrl)).url;
      await this.#openOrWait(life.signal);
    } catch (error) {
      const { isSpare, log, directoryUrl: ca } = this.#options;
      if (isTemporary(error)) {
        return log.warn({ ca, code: error.code, reason: describeError(error) }, 'the CA cannot be used yet');
      }
      if (isSpare) return log.error({ ca, err: describeError(error) }, 'this CA could not take over');
      this.#life = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#life?.abort(new LanyardError('stopped'));
    this.#life = undefined;
    this.#client = undefined;
  }

  /** The client of the open account; when the CA could not be reached until now, it is opened first. */
  async open(signal: AbortSignal): Promise<Client> {
    return this.#client ?? (await this.#openLate(signal));
  }

  /** One call by the open account. One that the CA has forgotten is registered anew, and the call is repeated. */
  async ask<T>(purpose: Purpose, signal: AbortSignal, call: (client: Client) => Promise<T>): Promise<Exchanged<T>> {
    const client = await this.open(signal);
    try {
      return await this.#exchange(purpose, signal, () => call(client));
    } catch (error) {
      if (!isForgotten(error)) throw error;
      // Of many calls that hear of it at once the first sees to it, and the others wait for the same opening.
      if (this.#client === client) {
        this.#forgotten.note(error);
        this.#client = undefined;
      }
    }
    return await this.ask(purpose, signal, call);
  }

  /** One call of acme-client, in bounded time. */
  async #exchange<T>(purpose: Purpose, signal: AbortSignal, call: () => Promise<T>): Promise<Exchanged<T>> {
    using limit = deadline(this.#options.clock, CALL_TIMEOUT_MS, signal);
    const { transport } = this.#options;
    const exchanged = await exchange({ ...purpose, transport, signal: limit.signal }, call);
    this.#directory = exchanged.directory ?? this.#directory;
    return exchanged;
  }

  /** Something that the CA shows to everybody, in bounded time. */
  async look(url: string, signal: AbortSignal): Promise<Shown> {
    return await this.aside(signal, (transport, limited) => plainGet(transport, url, limited));
  }

  /** What is said to the CA without the account, in bounded time. */
  async aside<T>(signal: AbortSignal, call: (transport: CaTransport, limited: AbortSignal) => Promise<T>): Promise<T> {
    using limit = deadline(this.#options.clock, CALL_TIMEOUT_MS, signal);
    return await call(this.#options.transport, limit.signal);
  }

  /** When the process runs already, a wrong profile is one more reason why the CA cannot serve. */
  async #openLate(signal: AbortSignal): Promise<Client> {
    try {
      return await this.#openOrWait(signal);
    } catch (error) {
      if (!LanyardError.is(error, 'config-invalid')) throw error;
      throw new LanyardError('authority-refused', { message: error.message, cause: error });
    }
  }

  /** However many calls wait for it, the CA is asked once. */
  async #openOrWait(signal: AbortSignal): Promise<Client> {
    const life = this.#life;
    if (life === undefined) throw new LanyardError('stopped', { message: 'the CA’s account is not open' });
    this.#opening ??= this.#openOnce(life.signal).finally(() => (this.#opening = undefined));
    return await untilAborted(this.#opening, signal);
  }

  async #openOnce(life: AbortSignal): Promise<Client> {
    const { directoryUrl, externalAccount, profile } = this.#options;
    const record = await this.#load(life);
    const url = this.#forgotten.isNoted ? undefined : record.url;
    const client = openClient({
      directoryUrl,
      accountKey: record.keyPem,
      ...(url === undefined ? {} : { accountUrl: url }),
      ...(externalAccount === undefined ? {} : { externalAccountBinding: externalAccount }),
    });
    const { directory } = await this.#exchange({ subject: 'service', expect: 'object' }, life, () =>
      client.getTermsOfServiceUrl(),
    );
    if (directory === undefined) throw new LanyardError('internal', { message: 'the directory was not fetched' });
    checkProfile(profile, directory);
    const accountUrl = url ?? (await this.#register(client, record, life));
    this.#accountUrl = accountUrl;
    if (life.aborted) throw abandoned(life);
    this.#client = client;
    if (url === undefined) this.#onAccount(accountUrl);
    return client;
  }

  /** With the key that counts, should a change of it have been interrupted. */
  async #load(life: AbortSignal): Promise<AccountRecord> {
    const { account: store, directoryUrl, log } = this.#options;
    const inquiry = new AccountInquiry(this.#options);
    const record = await settleRollover({ store, inquiry }, await loadAccount(store, directoryUrl), life);
    if (record.nextKeyPem !== undefined) log.warn({}, 'the account’s key was not changed: `lanyard account rollover`');
    return record;
  }

  async #register(client: Client, record: AccountRecord, life: AbortSignal): Promise<string> {
    const { account, log } = this.#options;
    const url = await this.#newAccount(client, life);
    await account.write({ ...record, url });
    this.#forgotten.settle();
    log.info({ accountUrl: url, terms: this.#directory?.termsOfService }, 'account at the CA opened');
    return url;
  }

  async #newAccount(client: Client, life: AbortSignal): Promise<string> {
    const { contact, externalAccount } = this.#options;
    try {
      const { value: url } = await this.#exchange({ subject: 'service', expect: 'located' }, life, async () => {
        // To configure a CA is to agree to its terms, which the operator's guide says in as many words.
        await client.createAccount({ termsOfServiceAgreed: true, ...(contact ? { contact: [...contact] } : {}) });
        return client.getAccountUrl();
      });
      return url;
    } catch (error) {
      if (!isTemporary(error)) this.#forgotten.settle();
      throw registrationError(error, externalAccount);
    }
  }
}

function isTemporary(error: unknown): error is LanyardError {
  return LanyardError.is(error) && TEMPORARY.includes(error.code);
}

function checkProfile(profile: string | undefined, { profiles }: Directory): void {
  if (profile === undefined || profiles.includes(profile)) return;
  const offer = profiles.length === 0 ? 'none' : profiles.slice(0, 20).join(', ');
  throw new LanyardError('config-invalid', { message: `the CA has no profile ${profile}; it offers ${offer}` });
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abandoned(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
