/** Shows a run that goes on to Prometheus; every scrape reads the measurements of that moment. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Runnable } from '@lanyard/sdk/kernel';
import { Hono } from 'hono';
import { exposition } from './exposition.ts';
import type { Snapshot } from './snapshot.ts';

export interface MetricsServerParts {
  readonly snapshot: () => Snapshot;
  readonly scenario: string;
  /** This machine only when left out: a run tells names of appliances and problems. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';

export class MetricsServer implements Runnable {
  readonly #parts: MetricsServerParts;
  #server: ServerType | undefined;
  #address: AddressInfo | undefined;

  constructor(parts: MetricsServerParts) {
    this.#parts = parts;
  }

  /** @throws LanyardError `listener-failed`. */
  async start(): Promise<void> {
    const { host = LOOPBACK, port } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const server = serve({ fetch: this.#routes().fetch, hostname: host, port }, (address) => {
        this.#address = address;
        // Too many open files and the like: a scrape is lost, the run is not.
        server.on('error', () => {});
        resolve();
      });
      server.once('error', (cause: Error) => {
        const message = `metrics on ${host}:${port}: ${cause.message}`;
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

  #routes(): Hono {
    const { snapshot, scenario } = this.#parts;
    return new Hono()
      .get('/', (context) =>
        context.html('<!doctype html><title>lanyard-simulator</title><a href="/metrics">metrics</a>'),
      )
      .get('/metrics', async (context) => {
        const { text, contentType } = await exposition(snapshot(), scenario);
        return context.body(text, 200, { 'content-type': contentType });
      });
  }
}
