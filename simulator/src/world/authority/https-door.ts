/** The model CA's door to the network: HTTPS on a loopback port, with a certificate of its own. */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, LanyardError, type Logger } from '@lanyard/sdk/kernel';
import type { DoorCertificate } from './door-certificate.ts';
import { BODY_LIMIT_BYTES, type AuthorityRequest, type AuthorityResponse } from './exchange.ts';

export interface HttpsDoorOptions {
  readonly log: Logger;
  readonly certificate: DoorCertificate;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Rejecting it cuts the connection. */
export type Handle = (request: AuthorityRequest) => Promise<AuthorityResponse>;

/** More than a broker keeps open, few enough for any machine's file limit. */
const CONNECTION_LIMIT = 512;

/** Bounds how long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 10_000;

export class HttpsDoor {
  readonly #options: HttpsDoorOptions;
  #server: Server | undefined;
  #handle: Handle | undefined;

  constructor(options: HttpsDoorOptions) {
    this.#options = options;
  }

  /**
   * Listens; `attach` at once whoever answers.
   * @returns the port, which the answers need to name.
   */
  async start(): Promise<number> {
    const { certificate, host, port } = this.#options;
    const server = createServer(
      {
        key: certificate.privateKeyPem,
        cert: certificate.certificatePem,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        // Otherwise the timeouts above are looked at every 30 s only.
        connectionsCheckingInterval: 1000,
      },
      (request, response) => void this.#serve(request, response),
    );
    server.maxConnections = CONNECTION_LIMIT;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new LanyardError('listener-failed', { cause, details: { host, port } })));
      server.listen(port, host, resolve);
    });
    // For instance no file descriptors left: bad for that connection, no reason to end.
    server.on('error', (error) => this.#options.log.warn({ error: describeError(error) }, 'the door could not accept'));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new LanyardError('listener-failed');
    return address.port;
  }

  attach(handle: Handle): void {
    this.#handle = handle;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const answer = await this.#handle?.({
        method: request.method ?? '',
        path: (request.url ?? '').split('?')[0] ?? '',
        contentType: request.headers['content-type'],
        userAgent: request.headers['user-agent'],
        address: request.socket.remoteAddress,
        body,
      });
      if (answer === undefined) return void response.writeHead(503).end();
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      // What was not read is not going to be.
      if (body.length > BODY_LIMIT_BYTES) response.setHeader('Connection', 'close');
      response.statusCode = answer.status;
      response.end(request.method === 'HEAD' ? undefined : answer.body);
    } catch (error) {
      // The client went away, or will have to.
      this.#options.log.debug({ error: describeError(error) }, 'a request to the model CA was cut off');
      response.destroy();
    }
  }
}

/** At most one octet above the limit, by which the core sees that there was more. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_LIMIT_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT_BYTES + 1);
}
