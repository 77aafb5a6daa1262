/** The part of the admin API that makes and removes accounts of the acme-dns API. */
import { LanyardError } from '@lanyard/sdk/kernel';
import { Hono } from 'hono';
import { z } from 'zod';
import { readRequest } from './read-request.ts';

/** Port. */
export interface AcmeDns {
  /** @throws LanyardError `admin-request-invalid` | `acme-dns-full`. */
  register(allowFrom: readonly string[]): Promise<object>;
  list(): readonly AcmeDnsAccountFacts[];
  /** @throws LanyardError `acme-dns-account-unknown`. */
  remove(label: string): Promise<void>;
}

export interface AcmeDnsAccountFacts {
  readonly label: string;
  readonly name: string;
  readonly allowFrom: readonly string[];
  readonly createdAtMs: number;
  readonly lastUpdateAtMs?: number;
}

const registration = z.strictObject({ allowFrom: z.array(z.string().max(64)).max(64).default([]) });

/** @param acmeDns undefined: it is not served. */
export function createAcmeDnsApi(acmeDns: AcmeDns | undefined): Hono {
  const served = (): AcmeDns => {
    if (acmeDns === undefined) throw new LanyardError('acme-dns-off');
    return acmeDns;
  };
  const api = new Hono();
  api.post('/v1/acme-dns-accounts', async (context) => {
    const { allowFrom } = readRequest(registration, await context.req.json<unknown>().catch(() => undefined));
    return context.json(await served().register(allowFrom), 201);
  });
  api.get('/v1/acme-dns-accounts', (context) => context.json({ accounts: served().list().map(viewOf) }));
  api.post('/v1/acme-dns-accounts/:label/remove', async (context) => {
    await served().remove(context.req.param('label'));
    return context.json({});
  });
  return api;
}

function viewOf({ label, name, allowFrom, createdAtMs, lastUpdateAtMs }: AcmeDnsAccountFacts) {
  const used = lastUpdateAtMs === undefined ? {} : { lastUpdateAt: iso(lastUpdateAtMs) };
  return { label, name, allowFrom, createdAt: iso(createdAtMs), ...used };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
