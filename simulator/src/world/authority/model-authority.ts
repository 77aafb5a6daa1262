/** The model CA without sockets: an RFC 8555 server that keeps to Boulder's rules; one request in, one answer out. */
import { randomHex } from '@lanyard/sdk/kernel';
import { AccountDesk } from './account-desk.ts';
import type { AuthorityControls } from './authority-controls.ts';
import { AuthorizationDesk } from './authorization-desk.ts';
import type { CertificateMaker } from './certificate-maker.ts';
import type { AuthorityStatistics } from './counters.ts';
import { plainAddress } from './client-address.ts';
import { DirectDoor, type DirectClient } from './direct-door.ts';
import { json, type Answer, type AuthorityRequest, type AuthorityResponse } from './exchange.ts';
import { Gatekeeper } from './gatekeeper.ts';
import type { Hierarchy } from './issuer.ts';
import type { BucketLevel } from './limiter.ts';
import { Nonces } from './nonces.ts';
import { OrderDesk } from './order-desk.ts';
import { Problem } from './problems.ts';
import { RenewalDesk } from './renewal-desk.ts';
import { ceilingOf } from './request-ceilings.ts';
import { RevocationDesk } from './revocation-desk.ts';
import { createControls, createRules, stopRules, type Rules, type RulesOptions } from './rules.ts';
import { X509Maker } from './x509-maker.ts';

/** With real certificates below a hierarchy, or with whatever a maker makes. */
export type ModelAuthorityOptions = Omit<RulesOptions, 'maker'> &
  ({ readonly hierarchy: Hierarchy } | { readonly maker: CertificateMaker });

export class ModelAuthority {
  readonly controls: AuthorityControls;
  readonly #rules: Rules;
  readonly #nonces: Nonces;
  readonly #gatekeeper: Gatekeeper;
  readonly #accountDesk: AccountDesk;
  readonly #orderDesk: OrderDesk;
  readonly #authorizationDesk: AuthorizationDesk;
  readonly #renewalDesk: RenewalDesk;
  readonly #revocationDesk: RevocationDesk;

  constructor(options: ModelAuthorityOptions) {
    const { policy, random } = options;
    const maker = 'maker' in options ? options.maker : new X509Maker(options);
    this.#rules = createRules({ ...options, maker });
    this.controls = createControls(this.#rules, options.limits);
    this.#nonces = new Nonces({ random, rejectPercent: policy.nonceRejectPercent });
    const shared = { ...this.#rules, nonces: this.#nonces };
    this.#gatekeeper = new Gatekeeper(shared);
    this.#accountDesk = new AccountDesk(shared);
    this.#orderDesk = new OrderDesk(shared);
    this.#authorizationDesk = new AuthorizationDesk(shared);
    this.#renewalDesk = new RenewalDesk(shared);
    this.#revocationDesk = new RevocationDesk(shared);
  }

  get directoryUrl(): string {
    return this.#rules.links.directory;
  }

  statistics(): AuthorityStatistics {
    return this.#rules.counters.statistics();
  }

  /** The buckets with least in them, a few of each limit. */
  bucketLevels(): readonly BucketLevel[] {
    return this.#rules.limiter.levels();
  }

  /** How much is kept at the moment, of what could grow. */
  sizes(): Readonly<Record<'orders' | 'authorizations' | 'certificates' | 'issuedSets' | 'buckets', number>> {
    const { authorizations, certificates, issuedSets, limiter, orders } = this.#rules;
    return {
      orders: orders.size,
      authorizations: authorizations.size,
      certificates: certificates.size,
      issuedSets: issuedSets.size,
      buckets: limiter.size,
    };
  }

  /**
   * The same CA without HTTP, for the account of that thumbprint, which is made when it is not there.
   * @throws Problem `rateLimited` when the address has made too many.
   */
  direct(client: DirectClient): DirectDoor {
    return new DirectDoor(this.#rules, client);
  }

  /**
   * What goes wrong becomes a problem document.
   * @throws ConnectionCut, and nothing else, when a fault says that the client sees no answer.
   */
  async handle(request: AuthorityRequest): Promise<AuthorityResponse> {
    const { path } = request;
    const address = request.address === undefined ? undefined : plainAddress(request.address);
    const [root = '', kind = ''] = path.split('/').slice(1);
    const passing = { operation: root === 'acme' ? kind : root, ceiling: ceilingOf(path), address };
    try {
      const answer = await this.#rules.passage.through(passing, () => this.#route({ ...request, address }));
      return this.#respond(answer, request);
    } catch (error) {
      if (error instanceof Problem) return this.#refuse(error, request);
      throw error;
    }
  }

  /** Abandons validations and issuances under way. */
  async stop(): Promise<void> {
    await stopRules(this.#rules);
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
    // RFC 9773 §4.1: fetched without a signature.
    if (request.path.startsWith(`${PATHS.renewalInfo}/`)) {
      if (!isRead) throw new Problem('malformed', 'Method not allowed', { status: 405 });
      return this.#renewalDesk.renewalInfo(request.path.slice(PATHS.renewalInfo.length + 1));
    }
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
    if (request.path === PATHS.newAccount) return this.#accountDesk.newAccount(signed, request.address);
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
    const { links, policy, profiles, random } = this.#rules;
    const descriptions = Object.entries(profiles.current).map(([name, profile]) => [name, profile.description]);
    const endpoints = Object.entries(PATHS).map(([name, path]) => [name, links.at(path)]);
    return {
      ...Object.fromEntries(endpoints),
      meta: {
        termsOfService: links.terms,
        caaIdentities: [policy.caaIdentity],
        profiles: Object.fromEntries(descriptions),
        externalAccountRequired: false,
      },
      // As Let's Encrypt does, so that clients learn to pass over what they do not know.
      [randomHex(random, 6)]: 'https://community.letsencrypt.org/t/adding-random-entries-to-the-directory/33417',
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
  renewalInfo: '/acme/renewal-info',
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
