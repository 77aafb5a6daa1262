/** HTTPS servers that always show the best certificate there is, swapped while they run. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { describeError, LanyardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { TlsPair } from './tls-pair.ts';

export interface ServingParts {
  readonly log: Logger;
  /** The certificate from the vault, if there is one. */
  readonly certificate: () => TlsPair | undefined;
  /** A stopgap for as long as there is none. */
  readonly makeSelfSigned: () => Promise<TlsPair>;
}

export interface ServeOptions {
  /** 0 lets the system choose; `server.address()` tells. */
  readonly port: number;
  /** Every interface when omitted. */
  readonly host?: string;
  /** Further TLS settings, such as `minVersion` or `ciphers`. */
  readonly tls?: TlsSettings;
}

export type TlsSettings = Omit<SecureContextOptions, 'key' | 'cert' | 'pfx' | 'passphrase'>;

export class HttpsServing {
  readonly #parts: ServingParts;
  readonly #servers = new Map<TlsServer, TlsSettings>();
  #selfSigned: Promise<TlsPair> | undefined;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /**
   * A server that listens already. The caller closes it.
   * @throws LanyardError `option-invalid`, `listener-failed`.
   */
  async serve(handler: RequestListener, options: ServeOptions): Promise<HttpsServer> {
    checkServe(handler, options);
    const { port, host, tls = {} } = options;
    checkTls(tls);
    const pair = await this.#best();
    const server = createServer({ ...tls, key: pair.keyPem, cert: pair.chainPem }, handler);
    await listen(server, port, host);
    this.#adopt(server, tls);
    // A certificate may have been installed while the port was being opened.
    await this.#show(server, tls);
    return server;
  }

  /**
   * Keeps the certificate of a TLS or HTTPS server up to date until it closes.
   * @param tls its further settings: Node forgets what is not said again when a certificate is swapped.
   * @throws LanyardError `option-invalid`.
   */
  async attach(server: TlsServer, tls: TlsSettings = {}): Promise<void> {
    if (!isTlsServer(server)) throw invalid('server', 'must be an https.Server or a tls.Server');
    checkTls(tls);
    this.#adopt(server, tls);
    await this.#show(server, tls);
  }

  /** Shows the best certificate on every server: new handshakes get it, open connections live on. */
  async refresh(): Promise<void> {
    for (const [server, tls] of this.#servers) await this.#show(server, tls);
  }

  /** Makes the next stopgap anew: the names or addresses in it are out of date. */
  forgetSelfSigned(): void {
    this.#selfSigned = undefined;
  }

  /** Stops looking after the servers; they go on with what they have. */
  detachAll(): void {
    this.#servers.clear();
  }

  #adopt(server: TlsServer, tls: TlsSettings): void {
    const isKnown = this.#servers.has(server);
    this.#servers.set(server, tls);
    if (!isKnown) server.once('close', () => this.#servers.delete(server));
  }

  async #show(server: TlsServer, tls: TlsSettings): Promise<void> {
    try {
      const pair = await this.#best();
      if (this.#servers.has(server)) server.setSecureContext({ ...tls, key: pair.keyPem, cert: pair.chainPem });
    } catch (error) {
      this.#parts.log.error({ error: describeError(error) }, 'a server keeps its certificate: the swap failed');
    }
  }

  async #best(): Promise<TlsPair> {
    const stored = this.#parts.certificate();
    if (stored) return stored;
    this.#selfSigned ??= this.#parts.makeSelfSigned();
    const making = this.#selfSigned;
    try {
      const stopgap = await making;
      // Meanwhile the first certificate may have come, or the names have changed.
      return this.#parts.certificate() ?? (this.#selfSigned === making ? stopgap : await this.#best());
    } catch (error) {
      if (this.#selfSigned === making) this.#selfSigned = undefined;
      throw error;
    }
  }
}

const HIGHEST_PORT = 65_535;

/** Firmware is often plain JavaScript: without a port Node would listen on one that nobody knows. */
function checkServe(handler: unknown, options: unknown): void {
  if (typeof handler !== 'function') throw invalid('handler', 'must be a function of request and response');
  const port: unknown = typeof options === 'object' && options !== null && 'port' in options ? options.port : undefined;
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= HIGHEST_PORT;
  if (!isPort) throw invalid('port', `must be a whole number from 0 to ${HIGHEST_PORT}`);
}

/** What the TLS library refuses now it would refuse at every swap. */
function checkTls(tls: TlsSettings): void {
  try {
    createSecureContext(tls);
  } catch (error) {
    throw invalid('tls', `is refused by the TLS library: ${describeError(error)}`);
  }
}

function isTlsServer(server: unknown): boolean {
  return typeof server === 'object' && server !== null && 'setSecureContext' in server;
}

function invalid(option: string, what: string): LanyardError {
  return new LanyardError('option-invalid', { message: `option ${option} ${what}`, details: { option } });
}

function listen(server: HttpsServer, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      const message = `${host ?? '*'}:${port} could not be listened on: ${cause.message}`;
      reject(new LanyardError('listener-failed', { message, cause }));
    };
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
