/** HTTP to one CA: few kept-alive connections, a bound on everything, and the CA's nonces. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { LanyardError, deadline } from '@lanyard/sdk/kernel';
import type { Clock, Runnable } from '@lanyard/sdk/kernel';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { parseCaUrl } from './ca-url.ts';
import { NoncePool } from './nonce-pool.ts';
import { parseRetryAfter } from './retry-after.ts';

export interface AcmeTransportOptions {
  readonly clock: Clock;
  /** Roots to trust besides Node's own and NODE_EXTRA_CA_CERTS, as PEM: for private CAs. */
  readonly extraRootsPem?: string;
}

export interface CaRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** A signed request (JWS), for POST. */
  readonly body?: string;
}

export interface CaAnswer {
  readonly status: number;
  readonly text: string;
  readonly nonce: string | undefined;
  /** Absolute, and checked. */
  readonly location: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** When it came, by the clock that the rest goes by. */
  readonly receivedAtMs: number;
}

/** Some 16 requests at 0.3 s each are 50 a second: a fifth of Let's Encrypt's ceiling per address. */
const MOST_CONNECTIONS = 16;
/** Ten per connection waiting is more than the order machine runs at once; beyond that something is stuck. */
const MOST_IN_FLIGHT = 160;
/** The directory's host, and spares for CAs that keep resources elsewhere. */
const MOST_ORIGINS = 4;
const CONNECT_TIMEOUT_MS = 5_000;
/** Let's Encrypt signs before it answers finalize: seconds, at its peaks tens of them. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Over all phases together, since a CA could drip one byte every 29 seconds. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Under the idle limit of the usual front ends (HAProxy 10 s), so that no request meets a closing connection. */
const KEEP_ALIVE_MS = 8_000;
/** The largest honest answer is a chain of three certificates: 10 kB. */
const MOST_ANSWER_BYTES = 1024 * 1024;
/** A private CA has one or two; Mozilla's whole list has 150. */
const MOST_ROOTS = 500;
/** RFC 8555 §6.1 demands a user agent. */
const USER_AGENT = 'lanyard (+acme-client)';

/** Carries single requests to one CA, over the network or, in a simulation, straight to a model of it. */
export interface CaTransport {
  readonly nonces: NoncePool;
  /** Asks once; any status is an answer. @throws LanyardError `authority-unreachable` | `authority-protocol` | `stopped`. */
  send(request: CaRequest, signal: AbortSignal): Promise<CaAnswer>;
}

/** One for each CA: what it trusts and the nonces it holds belong to that CA alone. */
export class AcmeTransport implements CaTransport, Runnable {
  readonly nonces: NoncePool;
  readonly #clock: Clock;
  readonly #extraRootsPem: string | undefined;
  #agent: Agent | undefined;
  #inFlight = 0;

  constructor({ clock, extraRootsPem }: AcmeTransportOptions) {
    this.#clock = clock;
    this.#extraRootsPem = extraRootsPem;
    this.nonces = new NoncePool({ clock });
  }

  async start(): Promise<void> {
    if (this.#agent !== undefined) return;
    const trust = this.#extraRootsPem === undefined ? {} : { secureContext: trustAlso(this.#extraRootsPem) };
    this.#agent = new Agent({
      connections: MOST_CONNECTIONS,
      maxOrigins: MOST_ORIGINS,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...trust },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: MOST_ANSWER_BYTES,
    });
  }

  /** Ends every connection; what is under way fails with `stopped`. */
  async stop(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.destroy(new LanyardError('stopped'));
  }

  /**
   * Asks once; any status is an answer. Redirects are not followed.
   * @throws LanyardError `authority-unreachable` | `authority-protocol` | `stopped`.
   */
  async send(request: CaRequest, signal: AbortSignal): Promise<CaAnswer> {
    const agent = this.#agent;
    if (agent === undefined) throw new LanyardError('stopped', { message: 'the connection to the CA is not open' });
    const href = parseCaUrl(request.url);
    if (href === undefined) throw new LanyardError('authority-protocol', { message: 'the CA named no https URL' });
    const url = new URL(href);
    if (this.#inFlight >= MOST_IN_FLIGHT) {
      throw new LanyardError('authority-unreachable', { message: 'too many requests wait for the CA already' });
    }
    this.#inFlight += 1;
    using limit = deadline(this.#clock, REQUEST_TIMEOUT_MS, signal);
    try {
      return await this.#exchange(agent, request, url, limit.signal);
    } catch (error) {
      throw explain(error, url, signal);
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #exchange(agent: Agent, request: CaRequest, url: URL, signal: AbortSignal): Promise<CaAnswer> {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: {
        'user-agent': USER_AGENT,
        ...(request.body === undefined ? {} : { 'content-type': 'application/jose+json' }),
      },
      body: request.body ?? null,
      signal,
    });
    const text = await body.text();
    const receivedAtMs = this.#clock.nowMs();
    return {
      status: statusCode,
      text,
      nonce: header(headers, 'replay-nonce'),
      location: parseCaUrl(header(headers, 'location'), url.href),
      retryAfterMs: parseRetryAfter(header(headers, 'retry-after'), receivedAtMs),
      receivedAtMs,
    };
  }
}

function trustAlso(rootsPem: string): SecureContext {
  try {
    const roots = rootsPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (roots.length === 0 || roots.length > MOST_ROOTS) throw new Error(`not 1 to ${MOST_ROOTS} certificates`);
    // Read one by one, since createSecureContext passes in silence over what it cannot read.
    const ca = roots.map((root) => new X509Certificate(root).toString());
    return createSecureContext({ ca: [...getCACertificates('default'), ...ca] });
  } catch (cause) {
    throw new LanyardError('config-invalid', { message: 'the extra roots for the CA are not PEM certificates', cause });
  }
}

function header(headers: Dispatcher.ResponseData['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Everything that can go wrong below HTTP is one thing to the order machine: try later. */
function explain(error: unknown, url: URL, caller: AbortSignal): LanyardError {
  if (error instanceof LanyardError) return error;
  if (caller.aborted) return abandoned(caller);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isOversized = code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code === 'UND_ERR_HEADERS_OVERFLOW';
  return new LanyardError(isOversized || code.startsWith('HPE_') ? 'authority-protocol' : 'authority-unreachable', {
    message: `no usable answer from ${url.host}`,
    cause: error,
  });
}

/** What the caller's signal says: its own error, that time is up, or that nobody waits any more. */
export function abandoned(signal: AbortSignal): LanyardError {
  const reason: unknown = signal.reason;
  if (reason instanceof LanyardError) return reason;
  const isLate = reason instanceof Error && reason.name === 'TimeoutError';
  return new LanyardError(isLate ? 'authority-unreachable' : 'stopped', { cause: reason });
}
