/** The part of the admin API that lets the doctor see whether what is published arrives. */
import { Hono } from 'hono';

/** Port. */
export interface Probe {
  /** Publishes a record in the zone that goes by itself after a minute. */
  publish(): Promise<{ readonly name: string; readonly value: string }>;
}

export function createProbeApi(probe: Probe): Hono {
  const api = new Hono();
  api.post('/v1/probe', async (context) => context.json(await probe.publish(), 201));
  return api;
}
