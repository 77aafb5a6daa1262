/** Answers http-01 (RFC 8555 §8.3): a CA asks the host by plain HTTP, and nothing else is to be had here. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Logger, Runnable } from '@lanyard/sdk/kernel';
import type { ChallengeBoard, ChallengeRecord } from '../certificates/challenge-board.ts';

export interface HttpChallengeServerParts {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
}

const PATH = '/.well-known/acme-challenge/';
/** More than orders are ever between `publishing` and `clearing`. */
const MOST_RECORDS = 10_000;
/** A CA asks from a handful of places for each name; the rest is scanners. */
const MOST_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 8_192;
/** From the first byte to the last: a request is one packet. */
const REQUEST_MS = 5_000;
/** The records ahead of it are cleared by then. */
const RETRY_AFTER_MS = 60_000;

export class HttpChallengeServer implements ChallengeBoard, Runnable {
  readonly #parts: HttpChallengeServerParts;
  /** By host and path. */
  readonly #records = new Map<string, ChallengeRecord>();
  #server: Server | undefined;

  constructor(parts: HttpChallengeServerParts) {
    this.#parts = parts;
  }

  /** @throws LanyardError `listener-failed`. */
  async start(): Promise<void> {
    const { host, port, log } = this.#parts;
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS };
    const server = createServer(limits, (request, response) => this.#answer(request, response));
    server.maxConnections = MOST_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new LanyardError('listener-failed', { cause, message: `http-01 on ${host}:${port}: ${cause.message}` }));
      });
      server.listen(port, host, resolve);
    });
    // Too many open files and the like: one connection is lost, the server is not.
    server.on('error', (error) => log.error({ err: error.message }, 'http-01: a connection could not be taken'));
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** Where it listens; only after `start`. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async put(record: ChallengeRecord): Promise<void> {
    const place = placeOf(record);
    if (this.#records.size >= MOST_RECORDS && !this.#records.has(place)) {
      const message = 'too many challenges of http-01 are up';
      throw new LanyardError('dns-serving-failed', { message, retryAfterMs: RETRY_AFTER_MS });
    }
    this.#records.set(place, record);
  }

  async clear(record: ChallengeRecord): Promise<void> {
    this.#records.delete(placeOf(record));
  }

  /** In memory alone: after a restart there is none. */
  async list(): Promise<readonly ChallengeRecord[]> {
    return [...this.#records.values()];
  }

  #answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const record = method === 'GET' ? this.#records.get(hostOf(headers.host) + url) : undefined;
    response.writeHead(record === undefined ? 404 : 200, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Nobody has a second question; a body that was sent along is not waited for.
      connection: 'close',
    });
    response.end(record?.value ?? 'not found\n');
  }
}

function placeOf({ name, value }: ChallengeRecord): string {
  const [token = ''] = value.split('.');
  return `${name.toLowerCase()}${PATH}${token}`;
}

/** As the client spelt it, without port and trailing dot. No record is for an address. */
function hostOf(header = ''): string {
  return header.toLowerCase().replace(/\.?(?::\d{1,5})?$/, '');
}
