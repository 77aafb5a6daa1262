/** Listens for the admin API. */
import type { AddressInfo } from 'node:net';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Runnable } from '@lanyard/sdk/kernel';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { createAdminApi } from './admin-api.ts';
import type { AdminApiParts } from './admin-api.ts';

export interface AdminServerParts extends AdminApiParts {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export class AdminServer implements Runnable {
  readonly #parts: AdminServerParts;
  #server: ServerType | undefined;
  #address: AddressInfo | undefined;

  constructor(parts: AdminServerParts) {
    this.#parts = parts;
  }

  /** @throws LanyardError `listener-failed`. */
  async start(): Promise<void> {
    const { host, port, log } = this.#parts;
    const { fetch: handle } = createAdminApi(this.#parts);
    await new Promise<void>((resolve, reject) => {
      const server = serve({ fetch: handle, hostname: host, port }, (address) => {
        this.#address = address;
        // Too many open files and the like: one connection is lost, the server is not.
        server.on('error', (error: Error) =>
          log.error({ err: error.message }, 'the admin API could not take a connection'),
        );
        resolve();
      });
      server.once('error', (cause: Error) => {
        reject(
          new LanyardError('listener-failed', { cause, message: `admin API on ${host}:${port}: ${cause.message}` }),
        );
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
