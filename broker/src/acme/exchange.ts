/** Lets acme-client speak through our transport: one exchange is one call of it, with its own signal and CA. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { LanyardError } from '@lanyard/sdk/kernel';
import { axios } from 'acme-client';
import { isSuccess, parseJson, refused } from './answer.ts';
import { parseDirectory } from './directory.ts';
import type { Directory } from './directory.ts';
import { freshNonce } from './fresh-nonce.ts';
import { isNonce } from './nonce-pool.ts';
import { plainGet } from './plain-get.ts';
import { BAD_NONCE, isObject } from './problems.ts';
import type { Subject } from './problems.ts';
import type { CaAnswer, CaTransport } from './transport.ts';

export interface ExchangeOptions {
  readonly transport: CaTransport;
  readonly signal: AbortSignal;
  readonly subject: Subject;
  /** What a success brings: an object, an object with its URL (Location), a certificate chain, or nothing of interest. */
  readonly expect: 'object' | 'located' | 'chain' | 'nothing';
}

export interface Exchanged<T> {
  readonly value: T;
  /** Of the last answer; acme-client drops it. */
  readonly retryAfterMs: number | undefined;
  readonly location: string | undefined;
  /** The directory, when acme-client fetched it on the way (once a day). */
  readonly directory: Directory | undefined;
}

/**
 * acme-client has one HTTP client for the whole process and passes neither signals nor agents through, so that what we put
 * in its place finds its CA by asynchronous context. That keeps several CAs apart, even on one host.
 */
const current = new AsyncLocalStorage<Exchange>();

/**
 * Runs one call of acme-client.
 * @throws LanyardError, only: what acme-client itself complains about is `authority-protocol`.
 */
export async function exchange<T>(options: ExchangeOptions, call: () => Promise<T>): Promise<Exchanged<T>> {
  takeOverRequests();
  const running = new Exchange(options);
  try {
    const value = await current.run(running, call);
    const { retryAfterMs, location } = running.last ?? {};
    return { value, retryAfterMs, location, directory: running.directory };
  } catch (cause) {
    if (LanyardError.is(cause)) throw cause;
    throw new LanyardError('authority-protocol', { message: 'the answer of the CA makes no sense', cause });
  }
}

/** What acme-client reads of an answer. */
interface Reply {
  readonly status: number;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

type Request = Parameters<typeof axios.request>[0];

/**
 * All that acme-client uses of axios. Going round it saves a sixth of what a certificate costs, and none of the retries
 * starts that acme-client hangs into it: they would send used nonces again, and sleep whole Retry-Afters.
 */
async function request({ method = '', url = '', data }: Request): Promise<Reply> {
  const running = current.getStore();
  if (running === undefined) throw new LanyardError('internal', { message: 'acme-client called outside an exchange' });
  return await running.reply(method, url, data === undefined ? '' : JSON.stringify(data));
}

function takeOverRequests(): void {
  if (Reflect.get(axios, 'request') !== request) Object.assign(axios, { request });
}

/** acme-client signs again five times; the next refusal of a nonce is the CA's fault. */
const MOST_BAD_NONCES = 5;

class Exchange {
  last: CaAnswer | undefined;
  directory: Directory | undefined;
  readonly #options: ExchangeOptions;
  #badNonces = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  async reply(method: string, url: string, body: string): Promise<Reply> {
    switch (method) {
      case 'head':
        return await this.#nonce(url);
      case 'get':
        return await this.#getDirectory(url);
      case 'post':
        return await this.#post(url, body);
      default:
        throw new LanyardError('internal', { message: `acme-client used method ${method}` });
    }
  }

  /** acme-client asks for a nonce before each request: from memory, when an earlier answer brought one. */
  async #nonce(url: string): Promise<Reply> {
    const { transport, signal } = this.#options;
    const pooled = transport.nonces.take();
    if (pooled !== undefined) return { status: 200, data: '', headers: { 'replay-nonce': pooled } };
    return { status: 200, data: '', headers: { 'replay-nonce': await freshNonce(transport, url, signal) } };
  }

  async #getDirectory(url: string): Promise<Reply> {
    const { transport, signal } = this.#options;
    const { document } = await plainGet(transport, url, signal);
    this.directory = parseDirectory(document);
    return { status: 200, data: this.directory.document, headers: {} };
  }

  async #post(url: string, body: string): Promise<Reply> {
    const { transport, signal, subject } = this.#options;
    const answer = await transport.send({ method: 'POST', url, body }, signal);
    if (!isSuccess(answer)) {
      const document = parseJson(answer.text);
      if (isObject(document) && document['type'] === BAD_NONCE) return this.#badNonce(answer, document);
      keepNonce(transport, answer);
      throw refused(answer, document, subject);
    }
    keepNonce(transport, answer);
    const data = this.#read(answer);
    this.last = answer;
    const headers = answer.location === undefined ? {} : { location: answer.location };
    return { status: answer.status, data, headers };
  }

  /** Returned as an answer, so that acme-client signs again; its fresh nonce (RFC 8555 §6.5) is for that alone. */
  #badNonce(answer: CaAnswer, document: unknown): Reply {
    this.#badNonces += 1;
    if (this.#badNonces > MOST_BAD_NONCES) throw refused(answer, document, 'service');
    const isFresh = answer.nonce !== undefined && isNonce(answer.nonce);
    const headers = isFresh && answer.nonce !== undefined ? { 'replay-nonce': answer.nonce } : {};
    // acme-client knows the refusal by this status only.
    return { status: 400, data: document, headers };
  }

  #read(answer: CaAnswer): unknown {
    if (this.#options.expect === 'chain' || this.#options.expect === 'nothing') return answer.text;
    const document = parseJson(answer.text);
    if (!isObject(document)) throw nonsense('no JSON object');
    // Only the first answer makes something. acme-client, lacking a URL for an account that exists, asks for ever.
    const isLocated = this.#options.expect !== 'located' || this.last !== undefined || answer.location !== undefined;
    if (!isLocated) throw nonsense('it does not say where it put what it made');
    return document;
  }
}

function keepNonce(transport: CaTransport, answer: CaAnswer): void {
  if (answer.nonce !== undefined) transport.nonces.put(answer.nonce);
}

function nonsense(fault: string): LanyardError {
  return new LanyardError('authority-protocol', { message: `the answer of the CA makes no sense: ${fault}` });
}
