/** Listens for the acme-dns API: plain HTTP, for a proxy that speaks TLS in front of it. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { ServerType } from '@hono/node-server';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Runnable } from '@lanyard/sdk/kernel';
import type { Context } from 'hono';
import { createAcmeDnsApi } from './acme-dns-api.ts';
import type { AcmeDnsApiParts } from './acme-dns-api.ts';

export interface AcmeDnsServerParts extends Omit<AcmeDnsApiParts, 'peerOf'> {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A machine asks twice in sixty days; a proxy keeps some dozens open. */
const MOST_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 8_192;
/** From the first byte to the last: a request is one packet. */
const REQUEST_MS = 10_000;

export class AcmeDnsServer implements Runnable {
  readonly #parts: AcmeDnsServerParts;
  #server: ServerType | undefined;
  #address: AddressInfo | undefined;

  constructor(parts: AcmeDnsServerParts) {
    this.#parts = parts;
  }

  /** @throws LanyardError `listener-failed`. */
  async start(): Promise<void> {
    const { host, port, log } = this.#parts;
    const { fetch: handle } = createAcmeDnsApi({ ...this.#parts, peerOf });
    const serverOptions = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS };
    await new Promise<void>((resolve, reject) => {
      const server = serve({ fetch: handle, hostname: host, port, serverOptions }, (address) => {
        this.#address = address;
        // Too many open files and the like: one connection is lost, the server is not.
        server.on('error', (error: Error) =>
          log.error({ err: error.message }, 'the acme-dns API could not take a connection'),
        );
        resolve();
      });
      if ('maxConnections' in server) server.maxConnections = MOST_CONNECTIONS;
      server.once('error', (cause: Error) => {
        const message = `acme-dns API on ${host}:${port}: ${cause.message}`;
        reject(new LanyardError('listener-failed', { cause, message }));
      });
      this.#server = server;
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if ('closeAllConnections' in server) server.closeAllConnections();
    });
  }

  /** Where it listens; only after `start`. */
  get port(): number {
    return this.#address?.port ?? 0;
  }
}

function peerOf(context: Context): string {
  return getConnInfo(context).remote.address ?? '';
}
