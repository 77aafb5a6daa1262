/** A certificate authority behind RFC 8555, spoken by acme-client over our own transport. */
import { LanyardError, deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock, ErrorCode, Logger, Runnable } from '@lanyard/sdk/kernel';
import { Client } from 'acme-client';
import type { Order } from 'acme-client';
import type { Authority, AuthorityOrder, Authorization, NewOrder } from '../certificates/authority.ts';
import { loadAccount } from './account.ts';
import type { AccountRecord, AccountStore } from './account.ts';
import { parseAuthorization } from './authorization-document.ts';
import { parseChain } from './chain-document.ts';
import type { Directory } from './directory.ts';
import { exchange } from './exchange.ts';
import type { Exchanged, ExchangeOptions } from './exchange.ts';
import { parseOrder } from './order-document.ts';
import { isObject } from './problems.ts';
import { abandoned } from './transport.ts';
import type { CaTransport } from './transport.ts';

export interface AcmeAuthorityOptions {
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
  readonly externalAccount?: { readonly kid: string; readonly hmacKey: string };
}

/** Over everything one call may send: a nonce, the request, and its repeats after refused nonces. */
const CALL_TIMEOUT_MS = 120_000;
/** Orders between newOrder and finalize. Let's Encrypt allows 300 new ones in three hours. */
const MOST_REMEMBERED_ORDERS = 1_024;
/** What passes by itself: the CA is down, busy, or behind a broken proxy. */
const TEMPORARY: readonly ErrorCode[] = ['authority-unreachable', 'authority-rate-limited', 'authority-protocol'];

export class AcmeAuthority implements Authority, Runnable {
  readonly #options: AcmeAuthorityOptions;
  /** finalize URL → order URL: a CA need not repeat the order's URL when it answers finalize, and Pebble does not. */
  readonly #orderUrls = new Map<string, string>();
  #life: AbortController | undefined;
  #opening: Promise<Client> | undefined;
  #client: Client | undefined;
  #directory: Directory | undefined;
  #accountUrl: string | undefined;

  constructor(options: AcmeAuthorityOptions) {
    this.#options = options;
  }

  /** For CAA's accounturi (RFC 8657): known once the CA has answered newAccount, from then on at every start. */
  get accountUrl(): string | undefined {
    return this.#accountUrl;
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
      await this.#open(life.signal);
    } catch (error) {
      if (LanyardError.is(error) && TEMPORARY.includes(error.code)) {
        this.#options.log.warn({ code: error.code, reason: describeError(error) }, 'the CA cannot be used yet');
        return;
      }
      this.#life = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#life?.abort(new LanyardError('stopped'));
    this.#life = undefined;
    this.#client = undefined;
  }

  async newOrder({ names, profile, replaces }: NewOrder, signal: AbortSignal): Promise<AuthorityOrder> {
    const chosen = profile ?? this.#options.profile;
    const asked = await this.#ask('service', 'located', signal, (client) => {
      // A CA without renewal information refuses orders that name a predecessor, or worse.
      const isReplacing = replaces !== undefined && this.#directory?.hasRenewalInfo === true;
      const request = {
        identifiers: names.map((value) => ({ type: 'dns', value })),
        ...(chosen === undefined ? {} : { profile: chosen }),
        ...(isReplacing ? { replaces } : {}),
      };
      return client.createOrder(request);
    });
    return this.#remember(parseOrder(asked.value, asked.location ?? '', asked.retryAfterMs));
  }

  async order(orderUrl: string, signal: AbortSignal): Promise<AuthorityOrder> {
    const asked = await this.#ask('order', 'object', signal, (client) => client.getOrder(orderOf({ url: orderUrl })));
    return this.#remember(parseOrder(asked.value, orderUrl, asked.retryAfterMs));
  }

  async authorization(authorizationUrl: string, signal: AbortSignal): Promise<Authorization> {
    const { value, retryAfterMs } = await this.#ask('order', 'object', signal, async (client) => {
      const [document] = await client.getAuthorizations(orderOf({ authorizations: [authorizationUrl] }));
      const { dns01, ...rest } = parseAuthorization(document);
      if (dns01 === undefined) return { ...rest, challenge: undefined };
      const { url, token } = dns01;
      const recordValue = await client.getChallengeKeyAuthorization({ type: 'dns-01', status: 'pending', url, token });
      return { ...rest, challenge: { url, recordName: `_acme-challenge.${rest.name}`, recordValue } };
    });
    const { name, status, challenge, problem } = value;
    return {
      url: authorizationUrl,
      name,
      status,
      ...(challenge === undefined ? {} : { challenge }),
      ...(problem === undefined ? {} : { problem }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  async trigger(challengeUrl: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask('challenge', 'object', signal, (client) =>
        client.completeChallenge({ type: 'dns-01', status: 'pending', url: challengeUrl, token: '' }),
      );
    } catch (error) {
      // Let's Encrypt takes a second telling for granted, Pebble refuses it as malformed: what counts is the status.
      if (!LanyardError.is(error, 'authority-refused')) throw error;
      if ((await this.#challengeStatus(challengeUrl, signal)) === 'pending') throw error;
    }
  }

  async finalize(finalizeUrl: string, csr: Uint8Array, signal: AbortSignal): Promise<AuthorityOrder> {
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(csr).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const asked = await this.#ask('order', 'object', signal, (client) =>
      client.finalizeOrder(orderOf({ finalize: finalizeUrl }), pem),
    );
    const url = this.#orderUrls.get(finalizeUrl) ?? asked.location;
    if (url === undefined) {
      throw new LanyardError('authority-protocol', {
        message: 'finalized, but the CA does not say which order: ask it',
      });
    }
    return this.#remember(parseOrder(asked.value, url, asked.retryAfterMs));
  }

  async certificate(certificateUrl: string, signal: AbortSignal): Promise<string> {
    const asked = await this.#ask('order', 'chain', signal, (client) =>
      client.getCertificate(orderOf({ status: 'valid', certificate: certificateUrl })),
    );
    return parseChain(asked.value);
  }

  async #challengeStatus(challengeUrl: string, signal: AbortSignal): Promise<unknown> {
    // For acme-client every object with a URL is fetched alike.
    const asked = await this.#ask('challenge', 'object', signal, (client) =>
      client.getOrder(orderOf({ url: challengeUrl })),
    );
    const document: unknown = asked.value;
    return isObject(document) ? document['status'] : undefined;
  }

  async #ask<T>(
    subject: ExchangeOptions['subject'],
    expect: ExchangeOptions['expect'],
    signal: AbortSignal,
    call: (client: Client) => Promise<T>,
  ): Promise<Exchanged<T>> {
    const client = this.#client ?? (await this.#openLate(signal));
    return await this.#exchange(subject, expect, signal, () => call(client));
  }

  async #exchange<T>(
    subject: ExchangeOptions['subject'],
    expect: ExchangeOptions['expect'],
    signal: AbortSignal,
    call: () => Promise<T>,
  ): Promise<Exchanged<T>> {
    using limit = deadline(this.#options.clock, CALL_TIMEOUT_MS, signal);
    const { transport } = this.#options;
    const exchanged = await exchange({ transport, signal: limit.signal, subject, expect }, call);
    this.#directory = exchanged.directory ?? this.#directory;
    return exchanged;
  }

  /** When the process runs already, a wrong profile is one more reason why the CA cannot serve. */
  async #openLate(signal: AbortSignal): Promise<Client> {
    try {
      return await this.#open(signal);
    } catch (error) {
      if (!LanyardError.is(error, 'config-invalid')) throw error;
      throw new LanyardError('authority-refused', { message: error.message, cause: error });
    }
  }

  /** However many calls wait for it, the CA is asked once. */
  async #open(signal: AbortSignal): Promise<Client> {
    const life = this.#life;
    if (life === undefined) throw new LanyardError('stopped', { message: 'the CA’s account is not open' });
    this.#opening ??= this.#openOnce(life.signal).finally(() => (this.#opening = undefined));
    return await untilAborted(this.#opening, signal);
  }

  async #openOnce(life: AbortSignal): Promise<Client> {
    const { account, directoryUrl, externalAccount, profile } = this.#options;
    const record = await loadAccount(account, directoryUrl);
    const client = new Client({
      directoryUrl,
      accountKey: record.keyPem,
      ...(record.url === undefined ? {} : { accountUrl: record.url }),
      ...(externalAccount === undefined ? {} : { externalAccountBinding: externalAccount }),
    });
    const { directory } = await this.#exchange('service', 'object', life, () => client.getTermsOfServiceUrl());
    if (directory === undefined) throw new LanyardError('internal', { message: 'the directory was not fetched' });
    checkProfile(profile, directory);
    this.#accountUrl = record.url ?? (await this.#register(client, record, life));
    if (life.aborted) throw abandoned(life);
    this.#client = client;
    return client;
  }

  async #register(client: Client, record: AccountRecord, life: AbortSignal): Promise<string> {
    const { account, contact, log } = this.#options;
    const { value: url } = await this.#exchange('service', 'located', life, async () => {
      // To configure a CA is to agree to its terms, which the operator's guide says in as many words.
      await client.createAccount({ termsOfServiceAgreed: true, ...(contact ? { contact: [...contact] } : {}) });
      return client.getAccountUrl();
    });
    await account.write({ ...record, url });
    log.info({ accountUrl: url, terms: this.#directory?.termsOfService }, 'account at the CA opened');
    return url;
  }

  #remember(order: AuthorityOrder): AuthorityOrder {
    this.#orderUrls.delete(order.finalizeUrl);
    const [oldest] = this.#orderUrls.keys();
    if (this.#orderUrls.size >= MOST_REMEMBERED_ORDERS && oldest !== undefined) this.#orderUrls.delete(oldest);
    this.#orderUrls.set(order.finalizeUrl, order.url);
    return order;
  }
}

function checkProfile(profile: string | undefined, { profiles }: Directory): void {
  if (profile === undefined || profiles.includes(profile)) return;
  const offer = profiles.length === 0 ? 'none' : profiles.slice(0, 20).join(', ');
  throw new LanyardError('config-invalid', { message: `the CA has no profile ${profile}; it offers ${offer}` });
}

/** acme-client wants whole orders where it reads one field. */
function orderOf(known: Partial<Order>): Order {
  return { url: '', status: 'pending', identifiers: [], authorizations: [], finalize: '', ...known };
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abandoned(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
