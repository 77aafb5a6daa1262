/** For tests: a small CA on loopback that keeps RFC 8555 strictly, and misbehaves exactly when it is told to. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isSignedBy, keyWanted, openJws } from './hostile-jws.ts';
import type { Signed } from './hostile-jws.ts';
import { isObject } from './problems.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  /** What was signed; undefined for POST-as-GET and for unsigned requests. */
  readonly payload: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
}

/** Instead of an answer: cut the connection, say nothing for ever, or refuse the nonce. */
export type Fault = Answer | 'cut' | 'stall' | 'bad-nonce';

/** What to do to a request, given the answer that an honest CA would send. Undefined: be honest. */
export type Mischief = (request: Received, honest: () => Answer) => Fault | undefined;

interface OrderRecord {
  readonly names: readonly string[];
  status: string;
  challengeStatus: string;
}

export const CHAIN = ['leaf', 'intermediate']
  .map((name) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(name).toString('base64')}\n-----END CERTIFICATE-----\n`)
  .join('');
export const TOKEN = 'DGyRejmCefe7v4NfDGDKfA-DGyRejmCefe7v4NfDGDK';

export class HostileCa {
  mischief: Mischief = () => undefined;
  connections = 0;
  /** Added to the directory. */
  meta: Readonly<Record<string, unknown>> = {};
  extraResources: Readonly<Record<string, unknown>> = {};
  readonly received: Received[] = [];
  /** URL → public key, as JSON. */
  readonly accounts = new Map<string, string>();
  /** URLs of accounts that were deactivated. */
  readonly closed = new Set<string>();
  /** What every account has for its owner. */
  contact: readonly string[] = [];
  /** Every nonce that was given out and not yet used. */
  readonly #nonces = new Set<string>();
  readonly #orders: OrderRecord[] = [];
  readonly #stalls: (() => void)[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #origin = '';

  async start(): Promise<void> {
    this.#server.on('connection', () => (this.connections += 1));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.#origin = `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  get directoryUrl(): string {
    return this.url('/directory');
  }

  url(path: string): string {
    return this.#origin + path;
  }

  /** `POST /new-order` and so on, in the order of their arrival. */
  get log(): readonly string[] {
    return this.received.map(({ method, path }) => `${method} ${path}`);
  }

  /** Resolves when the next request is left without an answer. */
  stalled(): Promise<void> {
    return new Promise((resolve) => this.#stalls.push(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const path = request.url ?? '';
    const method = request.method ?? '';
    const signed = method === 'POST' ? openJws(JSON.parse(Buffer.concat(chunks).toString())) : undefined;
    const received = { method, path, payload: signed?.payload };
    this.received.push(received);
    let known: Answer | undefined;
    const honest = (): Answer => (known ??= this.#answer(received, signed));
    const fault = this.mischief(received, honest);
    if (fault === 'cut') return void request.socket.destroy();
    if (fault === 'stall') return this.#stalls.splice(0).forEach((resolve) => resolve());
    const { status, headers, body } = fault === 'bad-nonce' ? badNonce() : (fault ?? honest());
    const isJson = body !== undefined && typeof body !== 'string';
    response.writeHead(status, {
      ...(method === 'GET' ? {} : { 'replay-nonce': this.#newNonce() }),
      ...(isJson ? { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' } : {}),
      ...headers,
    });
    response.end(isJson ? JSON.stringify(body) : body);
  }

  #newNonce(): string {
    const nonce = randomBytes(16).toString('base64url');
    this.#nonces.add(nonce);
    return nonce;
  }

  #answer({ path, payload }: Received, signed: Signed | undefined): Answer {
    if (path === '/directory') return { status: 200, body: this.#directory() };
    if (path === '/new-nonce') return { status: 200 };
    if (signed === undefined) return problem(400, 'malformed', 'not signed');
    if (!this.#nonces.delete(signed.nonce ?? '')) return badNonce();
    if (signed.url !== this.url(path)) return problem(403, 'unauthorized', 'signed for another URL');
    if (path === '/new-account') return this.#newAccount(signed);
    const key = this.accounts.get(signed.kid ?? '');
    if (key === undefined) return problem(400, 'accountDoesNotExist', 'no such account');
    if (!isSignedBy(signed, JSON.parse(key))) return problem(403, 'unauthorized', 'bad signature');
    if (this.closed.has(signed.kid ?? '')) return problem(403, 'unauthorized', 'the account is deactivated');
    if (path === '/new-order') return this.#newOrder(payload);
    if (path === '/key-change') return this.#changeKey(signed);
    const [, resource, index] = /^\/([a-z-]+)\/(\d+)$/.exec(path) ?? [];
    const order = this.#orders[Number(index)];
    if (resource === 'account') return this.#account(signed.kid ?? '', payload);
    if (resource === undefined || order === undefined) return problem(404, 'malformed', 'no such thing');
    return this.#orderPart(resource, Number(index), order, payload);
  }

  #directory(): unknown {
    const { meta, extraResources } = this;
    return {
      newNonce: this.url('/new-nonce'),
      newAccount: this.url('/new-account'),
      newOrder: this.url('/new-order'),
      keyChange: this.url('/key-change'),
      meta,
      ...extraResources,
    };
  }

  #newAccount(signed: Signed): Answer {
    if (!isObject(signed.jwk) || !isSignedBy(signed, signed.jwk)) return problem(403, 'unauthorized', 'bad signature');
    const key = JSON.stringify(signed.jwk);
    const existing = [...this.accounts].find(([, known]) => known === key)?.[0];
    if (existing === undefined && isObject(signed.payload) && signed.payload['onlyReturnExisting'] === true) {
      return problem(400, 'accountDoesNotExist', 'no account has this key');
    }
    if (this.closed.has(existing ?? '')) return problem(403, 'unauthorized', 'the account is deactivated');
    const location = existing ?? this.url(`/account/${this.accounts.size}`);
    this.accounts.set(location, key);
    return { status: existing === undefined ? 201 : 200, headers: { location }, body: { status: 'valid' } };
  }

  #account(url: string, payload: unknown): Answer {
    if (isObject(payload) && payload['status'] === 'deactivated') this.closed.add(url);
    const status = this.closed.has(url) ? 'deactivated' : 'valid';
    return { status: 200, body: { status, contact: this.contact } };
  }

  #changeKey(signed: Signed): Answer {
    const wanted = keyWanted(signed, this.accounts);
    if ('fault' in wanted) return problem(400, 'malformed', wanted.fault);
    this.accounts.set(signed.kid ?? '', wanted.key);
    // RFC 8555 §7.3.5 asks for the status alone.
    return { status: 200 };
  }

  #newOrder(payload: unknown): Answer {
    const identifiers = isObject(payload) && Array.isArray(payload['identifiers']) ? payload['identifiers'] : [];
    const names = identifiers.map((entry: unknown) => (isObject(entry) ? String(entry['value']) : ''));
    const index = this.#orders.push({ names, status: 'pending', challengeStatus: 'pending' }) - 1;
    return { status: 201, headers: { location: this.url(`/order/${index}`) }, body: this.#orderBody(index) };
  }

  #orderPart(resource: string, index: number, order: OrderRecord, payload: unknown): Answer {
    switch (resource) {
      case 'order':
        // One poll is answered before the work is done, as by a CA that works asynchronously.
        if (order.status === 'processing') order.status = 'valid';
        if (order.status === 'pending' && order.challengeStatus === 'valid') order.status = 'ready';
        return { status: 200, body: this.#orderBody(index) };
      case 'authz':
        return { status: 200, body: this.#authorizationBody(index, order) };
      case 'challenge':
        if (payload === undefined) return { status: 200, body: this.#challengeBody(index, order) };
        if (order.challengeStatus !== 'pending') return problem(400, 'malformed', 'the challenge is not pending');
        order.challengeStatus = 'valid';
        return { status: 200, body: { ...this.#challengeBody(index, order), status: 'processing' } };
      case 'finalize':
        if (order.status !== 'ready') return problem(403, 'orderNotReady', `the order is ${order.status}`);
        order.status = 'processing';
        return { status: 200, headers: { 'retry-after': '3' }, body: this.#orderBody(index) };
      case 'certificate':
        return { status: 200, headers: { 'content-type': 'application/pem-certificate-chain' }, body: CHAIN };
      default:
        return problem(404, 'malformed', 'no such thing');
    }
  }

  #orderBody(index: number): unknown {
    const { status = '', names = [] } = this.#orders[index] ?? {};
    return {
      status,
      identifiers: names.map((value) => ({ type: 'dns', value })),
      authorizations: [this.url(`/authz/${index}`)],
      finalize: this.url(`/finalize/${index}`),
      ...(status === 'valid' ? { certificate: this.url(`/certificate/${index}`) } : {}),
    };
  }

  #authorizationBody(index: number, order: OrderRecord): unknown {
    const [name = ''] = order.names;
    return {
      status: order.challengeStatus === 'valid' ? 'valid' : 'pending',
      identifier: { type: 'dns', value: name.replace(/^\*\./, '') },
      challenges: [{ type: 'http-01', url: 'x', token: '' }, this.#challengeBody(index, order)],
    };
  }

  #challengeBody(index: number, order: OrderRecord): Readonly<Record<string, unknown>> {
    return { type: 'dns-01', url: this.url(`/challenge/${index}`), token: TOKEN, status: order.challengeStatus };
  }
}

export function problem(status: number, type: string, detail: string): Answer {
  return { status, body: { type: `urn:ietf:params:acme:error:${type}`, detail } };
}

function badNonce(): Answer {
  return problem(400, 'badNonce', 'unknown nonce');
}
