/** The door for scale: the CA's own rules without JWS, nonces, HTTP and JSON, for one account. */
import type { Account } from './accounts.ts';
import { authorizationStatus, type Authorization, type AuthorizationStatus, type Challenge } from './authorizations.ts';
import { writeCertId } from './cert-id.ts';
import { chainPem, type CertificateRecord } from './certificates.ts';
import { baseName, isWildcard } from './names.ts';
import { PROCESSING_RETRY_SECONDS, type Order, type OrderStatus } from './orders.ts';
import type { Passing } from './passage.ts';
import { Problem, type ProblemDocument } from './problems.ts';
import type { RenewalInfo } from './renewing.ts';
import type { Rules } from './rules.ts';
import { recordName, recordValue } from './validation.ts';

/** Who asks. */
export interface DirectClient {
  /** RFC 7638 of a key that need not exist; it goes into the key authorization, and names the account. */
  readonly thumbprint: string;
  /** What the per-address limits count by; nothing is counted without it. */
  readonly address?: string;
}

export interface DirectOrderRequest {
  readonly names: readonly string[];
  readonly profile?: string;
  /** The ARI certID of the certificate that this one follows (RFC 9773 §5). */
  readonly replaces?: string;
}

export interface DirectOrder {
  readonly id: string;
  readonly status: OrderStatus;
  readonly names: readonly string[];
  readonly profile: string;
  readonly expiresAtMs: number;
  readonly authorizationIds: readonly string[];
  /** Only while `processing`. */
  readonly retryAfterSeconds?: number;
  /** Only when `valid`: what to ask `certificate` for. */
  readonly certificateSerial?: string;
  /** Why issuing failed after finalize was accepted. */
  readonly problem?: ProblemDocument;
}

export interface DirectAuthorization {
  readonly id: string;
  readonly status: AuthorizationStatus;
  /** Without the asterisk of a wildcard. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly expiresAtMs: number;
  /** The TXT record to publish. */
  readonly recordName: string;
  readonly recordValue: string;
  /** Only when `invalid`. */
  readonly problem?: ProblemDocument;
}

export interface DirectCertificate {
  readonly serial: string;
  readonly names: readonly string[];
  /** For `renewalInfo` and `replaces` (RFC 9773 §4.1). */
  readonly certId: string;
  readonly der: Uint8Array;
  readonly issuerPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Leaf and issuer (RFC 8555 §9.1); made when asked for. */
  chainPem(): string;
}

/** Every call rejects with `Problem` when the CA refuses and with `ConnectionCut` when a fault says so. */
export class DirectDoor {
  readonly accountUrl: string;
  readonly #rules: Rules;
  readonly #accountId: string;
  readonly #address: string | undefined;

  /** @throws Problem `rateLimited` when the address has made too many accounts. */
  constructor(rules: Rules, client: DirectClient) {
    const account = openAccount(rules, client);
    this.#rules = rules;
    this.#accountId = account.id;
    this.#address = client.address;
    this.accountUrl = rules.links.account(account.id);
  }

  newOrder(wanted: DirectOrderRequest): Promise<DirectOrder> {
    return this.#pass(NEW_ORDER, (account) => {
      const identifiers = wanted.names.map((value) => ({ type: 'dns', value }));
      const { profile, replaces } = wanted;
      return this.#presentOrder(this.#rules.ordering.place(account, { identifiers, profile, replaces }));
    });
  }

  order(id: string): Promise<DirectOrder> {
    return this.#pass(ORDER, (account) => this.#presentOrder(this.#rules.ordering.find(account, id)));
  }

  authorization(id: string): Promise<DirectAuthorization> {
    return this.#pass(AUTHZ, (account) => this.#presentAuthorization(account, this.#rules.proving.find(account, id)));
  }

  /** Triggers dns-01; the outcome is seen by `authorization`. */
  trigger(authorizationId: string): Promise<DirectAuthorization> {
    return this.#pass(CHALL, (account) => {
      const { proving } = this.#rules;
      const authorization = proving.find(account, authorizationId);
      const triggered = proving.trigger(account, authorization, dnsChallenge(authorization));
      return this.#presentAuthorization(account, triggered);
    });
  }

  finalize(orderId: string, csrDer: Uint8Array): Promise<DirectOrder> {
    return this.#pass(FINALIZE, async (account) =>
      this.#presentOrder(await this.#rules.ordering.finalize(account, orderId, () => csrDer)),
    );
  }

  certificate(serial: string): Promise<DirectCertificate> {
    return this.#pass(CERT, (account) => presentCertificate(this.#rules.ordering.certificate(account, serial)));
  }

  renewalInfo(certId: string): Promise<RenewalInfo> {
    return this.#pass(RENEWAL_INFO, () => this.#rules.renewing.info(certId));
  }

  revoke(serial: string, reason?: number): Promise<void> {
    return this.#pass(REVOKE_CERT, (account) => {
      const { certificates, revoking } = this.#rules;
      const record = certificates.get(serial);
      if (record === undefined) throw new Problem('malformed', 'Certificate from unrecognized issuer', { status: 404 });
      revoking.byAccount(account, record, reason);
    });
  }

  #pass<T>(call: Call, work: (account: Account) => T | Promise<T>): Promise<T> {
    const { accounts, passage } = this.#rules;
    return passage.through({ ...call, address: this.#address }, () => {
      const account = accounts.byId(this.#accountId);
      if (account === undefined) throw new Problem('accountDoesNotExist', 'Account not found');
      return work(account);
    });
  }

  #presentOrder(order: Order): DirectOrder {
    const status = this.#rules.ordering.status(order);
    const { id, names, authorizationIds, certificateSerial, expiresAtMs, problem, profileName: profile } = order;
    const shared = { id, status, names, profile, expiresAtMs, authorizationIds };
    if (problem !== undefined) return { ...shared, problem };
    if (certificateSerial !== undefined) return { ...shared, certificateSerial };
    return status === 'processing' ? { ...shared, retryAfterSeconds: PROCESSING_RETRY_SECONDS } : shared;
  }

  #presentAuthorization(account: Account, authorization: Authorization): DirectAuthorization {
    const { id, name, outcome, expiresAtMs } = authorization;
    return {
      id,
      status: authorizationStatus(authorization, this.#rules.clock.nowMs()),
      name: baseName(name),
      isWildcard: isWildcard(name),
      expiresAtMs,
      recordName: recordName(name),
      // A hash that most callers need once.
      get recordValue() {
        return recordValue(`${dnsChallenge(authorization).token}.${account.key.thumbprint}`);
      },
      ...(outcome.kind === 'invalid' ? { problem: outcome.problem } : {}),
    };
  }
}

type Call = Pick<Passing, 'operation' | 'ceiling'>;

/** The names and ceilings that these calls have over HTTP. */
const NEW_ORDER: Call = { operation: 'new-order', ceiling: 'newOrder' };
const ORDER: Call = { operation: 'order', ceiling: 'acme' };
const AUTHZ: Call = { operation: 'authz', ceiling: 'acme' };
const CHALL: Call = { operation: 'chall', ceiling: 'acme' };
const FINALIZE: Call = { operation: 'finalize', ceiling: 'acme' };
const CERT: Call = { operation: 'cert', ceiling: 'acme' };
const RENEWAL_INFO: Call = { operation: 'renewal-info', ceiling: 'renewalInfo' };
const REVOKE_CERT: Call = { operation: 'revoke-cert', ceiling: 'revokeCert' };

function openAccount({ accounts, clock, counters, limiter }: Rules, client: DirectClient): Account {
  const known = accounts.byKey(client);
  if (known !== undefined) return known;
  limiter.admitAccount(client.address);
  const { thumbprint } = client;
  counters.add('accounts');
  return accounts.create({ kind: 'paper', jwk: {}, thumbprint, fingerprint: `paper ${thumbprint}` }, [], clock.nowMs());
}

function dnsChallenge(authorization: Authorization): Challenge {
  const challenge = authorization.challenges.find((one) => one.type === 'dns-01');
  if (challenge === undefined) throw new Problem('malformed', 'No such challenge', { status: 404 });
  return challenge;
}

function presentCertificate(record: CertificateRecord): DirectCertificate {
  const { id: serial, names, der, issuerPem, notBeforeMs, notAfterMs, authorityKeyId } = record;
  const certId = writeCertId({ authorityKeyId, serial });
  return { serial, names, certId, der, issuerPem, notBeforeMs, notAfterMs, chainPem: () => chainPem(record) };
}
