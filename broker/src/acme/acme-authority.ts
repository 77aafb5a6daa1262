/** A certificate authority behind RFC 8555, spoken by acme-client over our own transport. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Runnable } from '@lanyard/sdk/kernel';
import type { Order } from 'acme-client';
import type {
  Authority,
  AuthorityOrder,
  Authorization,
  NewOrder,
  RenewalInfo,
  RevocationByKey,
  RevocationTicket,
} from '../certificates/authority.ts';
import type { ChallengeKind } from '../certificates/challenge-kind.ts';
import type { RevocationReason } from '../certificates/stored-certificate.ts';
import { AccountSession } from './account-session.ts';
import type { AccountSessionOptions, Purpose } from './account-session.ts';
import { parseChain } from './chain-document.ts';
import { parseOrder } from './order-document.ts';
import { ALREADY_REVOKED, isObject, problemType } from './problems.ts';
import { readAuthorization } from './read-authorization.ts';
import { parseRenewalInfo } from './renewal-info-document.ts';
import { replacementError } from './replacement-refusal.ts';
import { askTicket, handIn } from './revocation-by-key.ts';
import { REVOCATION_CODES } from './revocation-code.ts';

export interface AcmeAuthorityOptions extends AccountSessionOptions {
  /** What names are proved by; dns-01 when left out. */
  readonly challenge?: ChallengeKind;
}

const ORDERING: Purpose = { subject: 'service', expect: 'located' };
const PART_OF_ORDER: Purpose = { subject: 'order', expect: 'object' };
const CHALLENGE: Purpose = { subject: 'challenge', expect: 'object' };
const CHAIN: Purpose = { subject: 'order', expect: 'chain' };
const REVOKING: Purpose = { subject: 'service', expect: 'nothing' };

/** Orders between newOrder and finalize. Let's Encrypt allows 300 new ones in three hours. */
const MOST_REMEMBERED_ORDERS = 1_024;

export class AcmeAuthority implements Authority, Runnable {
  readonly #session: AccountSession;
  readonly #profile: string | undefined;
  readonly #challenge: ChallengeKind;
  /** finalize URL → order URL: a CA need not repeat the order's URL when it answers finalize, and Pebble does not. */
  readonly #orderUrls = new Map<string, string>();

  constructor(options: AcmeAuthorityOptions) {
    this.#session = new AccountSession(options);
    this.#profile = options.profile;
    this.#challenge = options.challenge ?? 'dns-01';
  }

  /** For CAA's accounturi (RFC 8657): known once the CA has answered newAccount, from then on at every start. */
  get accountUrl(): string | undefined {
    return this.#session.accountUrl;
  }

  /** Called whenever the CA has given the account a URL: for the first time, or another one. Must not throw. */
  onAccount(listener: (accountUrl: string) => void): void {
    this.#session.onAccount(listener);
  }

  /**
   * Loads or makes the account. A CA that cannot be reached does not keep the broker from starting: the next call
   * tries again.
   * @throws LanyardError `config-unreadable` | `config-invalid` (account file, profile) | `authority-refused`
   */
  start(): Promise<void> {
    return this.#session.start();
  }

  stop(): Promise<void> {
    return this.#session.stop();
  }

  async newOrder({ names, profile, replaces }: NewOrder, signal: AbortSignal): Promise<AuthorityOrder> {
    const chosen = profile ?? this.#profile;
    await this.#session.open(signal);
    // A CA without renewal information refuses orders that name a predecessor, or worse.
    const isReplacing = replaces !== undefined && this.#session.directory?.renewalInfoUrl !== undefined;
    const request = {
      identifiers: names.map((value) => ({ type: 'dns', value })),
      ...(chosen === undefined ? {} : { profile: chosen }),
      ...(isReplacing ? { replaces } : {}),
    };
    try {
      const asked = await this.#session.ask(ORDERING, signal, (client) => client.createOrder(request));
      return this.#remember(parseOrder(asked.value, asked.location ?? '', asked.retryAfterMs));
    } catch (error) {
      throw isReplacing ? replacementError(error) : error;
    }
  }

  async order(orderUrl: string, signal: AbortSignal): Promise<AuthorityOrder> {
    const asked = await this.#session.ask(PART_OF_ORDER, signal, (client) =>
      client.getOrder(orderOf({ url: orderUrl })),
    );
    return this.#remember(parseOrder(asked.value, orderUrl, asked.retryAfterMs));
  }

  async authorization(authorizationUrl: string, signal: AbortSignal): Promise<Authorization> {
    const wanted = { url: authorizationUrl, kind: this.#challenge };
    const { value, retryAfterMs } = await this.#session.ask(PART_OF_ORDER, signal, (client) =>
      readAuthorization(client, { ...wanted, accountUrl: this.#session.accountUrl }),
    );
    return { ...value, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }

  async trigger(challengeUrl: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#session.ask(CHALLENGE, signal, (client) =>
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
    const asked = await this.#session.ask(PART_OF_ORDER, signal, (client) =>
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
    const asked = await this.#session.ask(CHAIN, signal, (client) =>
      client.getCertificate(orderOf({ status: 'valid', certificate: certificateUrl })),
    );
    return parseChain(asked.value);
  }

  async revoke(chain: string, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    try {
      await this.#session.ask(REVOKING, signal, (client) =>
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- an enum that exists only in acme-client's types
        client.revokeCertificate(chain, { reason: REVOCATION_CODES[reason] }),
      );
    } catch (error) {
      // RFC 8555 §7.6: said again, as after an answer that was lost.
      if (problemType(error) !== ALREADY_REVOKED) throw error;
    }
  }

  async revocationTicket(signal: AbortSignal): Promise<RevocationTicket> {
    await this.#session.open(signal);
    const { directory } = this.#session;
    if (directory === undefined) throw new LanyardError('internal', { message: 'the directory was not fetched' });
    return await this.#session.aside(signal, (transport, limited) => askTicket(transport, directory, limited));
  }

  async revokeByKey(revocation: RevocationByKey, signal: AbortSignal): Promise<void> {
    await this.#session.aside(signal, (transport, limited) => handIn(transport, revocation, limited));
  }

  async renewalInfo(renewalId: string, signal: AbortSignal): Promise<RenewalInfo | undefined> {
    await this.#session.open(signal);
    const base = this.#session.directory?.renewalInfoUrl;
    if (base === undefined) return undefined;
    const { document, retryAfterMs } = await this.#session.look(`${base}/${renewalId}`, signal);
    return parseRenewalInfo(document, retryAfterMs);
  }

  async #challengeStatus(challengeUrl: string, signal: AbortSignal): Promise<unknown> {
    // For acme-client every object with a URL is fetched alike.
    const asked = await this.#session.ask(CHALLENGE, signal, (client) =>
      client.getOrder(orderOf({ url: challengeUrl })),
    );
    const document: unknown = asked.value;
    return isObject(document) ? document['status'] : undefined;
  }

  #remember(order: AuthorityOrder): AuthorityOrder {
    this.#orderUrls.delete(order.finalizeUrl);
    const [oldest] = this.#orderUrls.keys();
    if (this.#orderUrls.size >= MOST_REMEMBERED_ORDERS && oldest !== undefined) this.#orderUrls.delete(oldest);
    this.#orderUrls.set(order.finalizeUrl, order.url);
    return order;
  }
}

/** acme-client wants whole orders where it reads one field. */
function orderOf(known: Partial<Order>): Order {
  return { url: '', status: 'pending', identifiers: [], authorizations: [], finalize: '', ...known };
}
