/** The model CA without sockets: an RFC 8555 server that keeps to Boulder's rules; one request in, one answer out. */
import { describeError, randomHex, type Clock, type Logger, type Random } from '@lanyard/sdk/kernel';
import { AccountDesk } from './account-desk.ts';
import { Accounts } from './accounts.ts';
import { AuthorizationDesk } from './authorization-desk.ts';
import { Authorizations } from './authorizations.ts';
import { Background } from './background.ts';
import { Certificates } from './certificates.ts';
import { Counters, type AuthorityStatistics } from './counters.ts';
import { json, type Answer, type AuthorityRequest, type AuthorityResponse } from './exchange.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { Issuer, type Hierarchy } from './issuer.ts';
import { Links } from './links.ts';
import { Nonces } from './nonces.ts';
import { OrderDesk } from './order-desk.ts';
import { Orders } from './orders.ts';
import type { AuthorityPolicy } from './policy.ts';
import { Problem } from './problems.ts';
import type { Resolver } from './resolver.ts';
import { RevocationDesk } from './revocation-desk.ts';
import { Validator } from './validation.ts';

export interface ModelAuthorityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly policy: AuthorityPolicy;
  readonly hierarchy: Hierarchy;
  /** The primary vantage point first. */
  readonly perspectives: readonly [Resolver, ...Resolver[]];
  /** Where clients reach the door, without a slash at the end. */
  readonly baseUrl: string;
}

export class ModelAuthority {
  readonly #random: Random;
  readonly #log: Logger;
  readonly #policy: AuthorityPolicy;
  readonly #links: Links;
  readonly #nonces: Nonces;
  readonly #counters = new Counters();
  readonly #background: Background;
  readonly #gatekeeper: Gatekeeper;
  readonly #accountDesk: AccountDesk;
  readonly #orderDesk: OrderDesk;
  readonly #authorizationDesk: AuthorizationDesk;
  readonly #revocationDesk: RevocationDesk;

  constructor(options: ModelAuthorityOptions) {
    const { random, log, policy } = options;
    this.#random = random;
    this.#log = log;
    this.#policy = policy;
    this.#links = new Links(options.baseUrl);
    this.#nonces = new Nonces({ random, rejectPercent: policy.nonceRejectPercent });
    this.#background = new Background(options);
    const shared = {
      ...options,
      accounts: new Accounts(),
      authorizations: new Authorizations({ random, policy }),
      certificates: new Certificates(),
      orders: new Orders({ random }),
      issuer: new Issuer(options),
      validator: new Validator({ perspectives: options.perspectives, caaIdentity: policy.caaIdentity }),
      background: this.#background,
      nonces: this.#nonces,
      links: this.#links,
      counters: this.#counters,
    };
    this.#gatekeeper = new Gatekeeper(shared);
    this.#accountDesk = new AccountDesk(shared);
    this.#orderDesk = new OrderDesk(shared);
    this.#authorizationDesk = new AuthorizationDesk(shared);
    this.#revocationDesk = new RevocationDesk(shared);
  }

  get directoryUrl(): string {
    return this.#links.directory;
  }

  statistics(): AuthorityStatistics {
    return this.#counters.statistics();
  }

  /** Never throws: what goes wrong becomes a problem document. */
  async handle(request: AuthorityRequest): Promise<AuthorityResponse> {
    this.#counters.add('requests');
    try {
      return this.#respond(await this.#route(request), request);
    } catch (error) {
      if (error instanceof Problem) return this.#refuse(error, request);
      this.#log.error({ error: describeError(error), path: request.path }, 'the model CA failed at a request');
      return this.#refuse(new Problem('serverInternal', 'Internal error'), request);
    }
  }

  /** Abandons validations and issuances under way. */
  async stop(): Promise<void> {
    await this.#background.stop();
  }

  async #route(request: AuthorityRequest): Promise<Answer> {
    // RFC 8555 §6.1. Boulder lets it pass, Pebble does not.
    if (request.userAgent === undefined || request.userAgent === '') {
      throw new Problem('malformed', 'A User-Agent header is required');
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (request.path === '/directory') return this.#read(isRead, json(this.#directory()));
    // RFC 8555 §7.2: 200 to HEAD, 204 to GET.
    if (request.path === PATHS.newNonce) {
      return this.#read(isRead, { status: request.method === 'GET' ? 204 : 200, content: { kind: 'empty' } });
    }
    if (request.path === '/terms/v1')
      return this.#read(isRead, json({ terms: 'For tests only. Nothing is promised.' }));
    return this.#routeSigned(request);
  }

  async #routeSigned(request: AuthorityRequest): Promise<Answer> {
    const [root, kind, first, second, third, ...rest] = request.path.split('/').slice(1);
    const shape = `${kind}/${[first, second, third].filter((part) => part !== undefined).length}`;
    const handler = root === 'acme' && rest.length === 0 ? this.#handlers.get(shape) : undefined;
    if (handler === undefined) throw new Problem('malformed', 'Page not found', { status: 404 });
    // RFC 8555 §6.3: whatever is not directory or nonce is fetched by POST-as-GET.
    if (request.method !== 'POST') throw new Problem('malformed', 'Method not allowed', { status: 405 });
    const signed = this.#gatekeeper.admit(request);
    return handler(signed, first ?? '', second ?? '', third ?? '');
  }

  /** By the last folder of the path and how many parts follow it. */
  readonly #handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['new-acct/0', (request) => this.#accountDesk.newAccount(request)],
    ['acct/1', (request, id) => this.#accountDesk.account(request, id)],
    ['key-change/0', (request) => this.#accountDesk.keyChange(request)],
    ['new-order/0', (request) => this.#orderDesk.newOrder(request)],
    ['order/2', (request, accountId, id) => this.#orderDesk.order(request, accountId, id)],
    ['finalize/2', (request, accountId, id) => this.#orderDesk.finalize(request, accountId, id)],
    ['cert/1', (request, serial) => this.#orderDesk.certificate(request, serial)],
    ['authz/2', (request, accountId, id) => this.#authorizationDesk.authorization(request, accountId, id)],
    ['chall/3', (request, accountId, id, name) => this.#authorizationDesk.challenge(request, accountId, id, name)],
    ['revoke-cert/0', (request) => this.#revocationDesk.revoke(request)],
  ]);

  #read(isRead: boolean, answer: Answer): Answer {
    if (!isRead) throw new Problem('malformed', 'Method not allowed', { status: 405 });
    return answer;
  }

  #directory(): object {
    const { profiles, caaIdentity } = this.#policy;
    const descriptions = Object.entries(profiles).map(([name, profile]) => [name, profile.description]);
    const endpoints = Object.entries(PATHS).map(([name, path]) => [name, this.#links.at(path)]);
    return {
      ...Object.fromEntries(endpoints),
      meta: {
        termsOfService: this.#links.terms,
        caaIdentities: [caaIdentity],
        profiles: Object.fromEntries(descriptions),
        externalAccountRequired: false,
      },
      // As Let's Encrypt does, so that clients learn to pass over what they do not know.
      [randomHex(this.#random, 6)]: 'https://community.letsencrypt.org/t/adding-random-entries-to-the-directory/33417',
    };
  }

  #refuse(problem: Problem, request: AuthorityRequest): AuthorityResponse {
    const { location, retryAfterSeconds } = problem.options;
    const answer = {
      ...json(problem.document(), problem.status),
      ...(location === undefined ? {} : { location }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
    const response = this.#respond(answer, request);
    return { ...response, headers: { ...response.headers, 'Content-Type': 'application/problem+json' } };
  }

  #respond(answer: Answer, request: AuthorityRequest): AuthorityResponse {
    const links = Object.entries({ index: this.directoryUrl, ...answer.links });
    const { type, text } = writeContent(answer);
    return {
      status: answer.status,
      headers: {
        ...(type === undefined ? {} : { 'Content-Type': type }),
        'Cache-Control': 'no-store',
        'Replay-Nonce': this.#nonces.issue(),
        // RFC 8555 §7.1: on everything but the directory itself.
        ...(request.path === '/directory'
          ? {}
          : { Link: links.map(([relation, url]) => `<${url}>;rel="${relation}"`) }),
        ...(answer.location === undefined ? {} : { Location: answer.location }),
        ...(answer.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(answer.retryAfterSeconds) }),
      },
      body: text,
    };
  }
}

type Handler = (
  request: ReturnType<Gatekeeper['admit']>,
  first: string,
  second: string,
  third: string,
) => Answer | Promise<Answer>;

/** Boulder's paths, by their names in the directory (RFC 8555 §9.7.5). */
const PATHS = {
  newNonce: '/acme/new-nonce',
  newAccount: '/acme/new-acct',
  newOrder: '/acme/new-order',
  revokeCert: '/acme/revoke-cert',
  keyChange: '/acme/key-change',
} as const;

function writeContent(answer: Answer): { readonly type?: string; readonly text: string } {
  switch (answer.content.kind) {
    case 'json':
      return { type: 'application/json', text: JSON.stringify(answer.content.value) };
    case 'chain':
      // RFC 8555 §9.1.
      return { type: 'application/pem-certificate-chain', text: answer.content.pem };
    case 'empty':
      return { text: '' };
  }
}
