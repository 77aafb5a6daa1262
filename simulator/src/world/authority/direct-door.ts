/** The door for scale: the CA's own rules without JWS, nonces, HTTP and JSON, for one account. */
import type { Account } from './accounts.ts';
import { authorizationStatus, type Authorization, type AuthorizationStatus, type Challenge } from './authorizations.ts';
import { writeCertId } from './cert-id.ts';
import { chainPem, type CertificateRecord } from './certificates.ts';
import { plainAddress } from './client-address.ts';
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
  readonly problem: ProblemDocument | undefined;
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
  readonly #passings: Readonly<Record<Call, Passing>>;

  /** @throws Problem `rateLimited` when the address has made too many accounts. */
  constructor(rules: Rules, client: DirectClient) {
    const address = client.address === undefined ? undefined : plainAddress(client.address);
    const account = openAccount(rules, client.thumbprint, address);
    this.#rules = rules;
    this.#accountId = account.id;
    this.#passings = passingsFrom(address);
    this.accountUrl = rules.links.account(account.id);
  }

  newOrder(wanted: DirectOrderRequest): Promise<DirectOrder> {
    return this.#pass('new-order', (account) => {
      const identifiers = wanted.names.map((value) => ({ type: 'dns', value }));
      const { profile, replaces } = wanted;
      return this.#presentOrder(this.#rules.ordering.place(account, { identifiers, profile, replaces }));
    });
  }

  order(id: string): Promise<DirectOrder> {
    return this.#pass('order', (account) => this.#presentOrder(this.#rules.ordering.find(account, id)));
  }

  authorization(id: string): Promise<DirectAuthorization> {
    return this.#pass('authz', (account) => this.#presentAuthorization(account, this.#rules.proving.find(account, id)));
  }

  /** Triggers dns-01; the outcome is seen by `authorization`. */
  trigger(authorizationId: string): Promise<DirectAuthorization> {
    return this.#pass('chall', (account) => {
      const { proving } = this.#rules;
      const authorization = proving.find(account, authorizationId);
      const triggered = proving.trigger(account, authorization, dnsChallenge(authorization));
      return this.#presentAuthorization(account, triggered);
    });
  }

  finalize(orderId: string, csrDer: Uint8Array): Promise<DirectOrder> {
    return this.#pass('finalize', async (account) =>
      this.#presentOrder(await this.#rules.ordering.finalize(account, orderId, () => csrDer)),
    );
  }

  certificate(serial: string): Promise<DirectCertificate> {
    return this.#pass('cert', (account) => presentCertificate(this.#rules.ordering.certificate(account, serial)));
  }

  renewalInfo(certId: string): Promise<RenewalInfo> {
    return this.#pass('renewal-info', () => this.#rules.renewing.info(certId));
  }

  revoke(serial: string, reason?: number): Promise<void> {
    return this.#pass('revoke-cert', (account) => {
      const { certificates, revoking } = this.#rules;
      const record = certificates.get(serial);
      if (record === undefined) throw new Problem('malformed', 'Certificate from unrecognized issuer', { status: 404 });
      revoking.byAccount(account, record, reason);
    });
  }

  #pass<T>(call: Call, work: (account: Account) => T | Promise<T>): Promise<T> {
    const { accounts, passage } = this.#rules;
    return passage.through(this.#passings[call], () => {
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
    const status = authorizationStatus(authorization, this.#rules.clock.nowMs());
    return new AuthorizationView(authorization, status, account.key.thumbprint);
  }
}

/** A class, since the record's value is a hash that most callers need once. */
class AuthorizationView implements DirectAuthorization {
  readonly id: string;
  readonly status: AuthorizationStatus;
  readonly expiresAtMs: number;
  readonly #authorization: Authorization;
  readonly #thumbprint: string;

  constructor(authorization: Authorization, status: AuthorizationStatus, thumbprint: string) {
    this.id = authorization.id;
    this.status = status;
    this.expiresAtMs = authorization.expiresAtMs;
    this.#authorization = authorization;
    this.#thumbprint = thumbprint;
  }

  get name(): string {
    return baseName(this.#authorization.name);
  }

  get isWildcard(): boolean {
    return isWildcard(this.#authorization.name);
  }

  get recordName(): string {
    return recordName(this.#authorization.name);
  }

  get recordValue(): string {
    return recordValue(`${dnsChallenge(this.#authorization).token}.${this.#thumbprint}`);
  }

  get problem(): ProblemDocument | undefined {
    const { outcome } = this.#authorization;
    return outcome.kind === 'invalid' ? outcome.problem : undefined;
  }
}

/** The names that these calls have over HTTP. */
type Call = 'new-order' | 'order' | 'authz' | 'chall' | 'finalize' | 'cert' | 'renewal-info' | 'revoke-cert';

function passingsFrom(address: string | undefined): Readonly<Record<Call, Passing>> {
  return {
    'new-order': { operation: 'new-order', ceiling: 'newOrder', address },
    order: { operation: 'order', ceiling: 'acme', address },
    authz: { operation: 'authz', ceiling: 'acme', address },
    chall: { operation: 'chall', ceiling: 'acme', address },
    finalize: { operation: 'finalize', ceiling: 'acme', address },
    cert: { operation: 'cert', ceiling: 'acme', address },
    'renewal-info': { operation: 'renewal-info', ceiling: 'renewalInfo', address },
    'revoke-cert': { operation: 'revoke-cert', ceiling: 'revokeCert', address },
  };
}

function openAccount(
  { accounts, clock, counters, limiter }: Rules,
  thumbprint: string,
  address: string | undefined,
): Account {
  const known = accounts.byKey({ thumbprint });
  if (known !== undefined) return known;
  limiter.admitAccount(address);
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
