/** The part of the admin API that keeps the list of refused keys. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { KeyRefusal } from '../certificates/key-refusal.ts';
import type { RefusedKey } from '../certificates/refused-keys.ts';
import { readRequest } from './read-request.ts';

export type RefusedKeys = Pick<KeyRefusal, 'refuse' | 'list'>;

const keyHash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');
const refusal = z.strictObject({ keyHash });
const page = z.object({
  after: keyHash.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export function createRefusedKeysApi(keys: RefusedKeys): Hono {
  const api = new Hono();
  api.get('/v1/refused-keys', async (context) => {
    const { after, limit } = readRequest(page, context.req.query());
    const listed = await keys.list({ limit, ...(after !== undefined && { after }) });
    return context.json({ keys: listed.map(viewOf) });
  });
  api.post('/v1/refused-keys', async (context) => {
    const wish = readRequest(refusal, await context.req.json<unknown>().catch(() => undefined));
    const isNew = await keys.refuse(wish.keyHash);
    return context.json({ isNew }, isNew ? 201 : 200);
  });
  return api;
}

function viewOf({ keyHash: hash, reason, sinceMs }: RefusedKey) {
  return { keyHash: hash, reason, since: new Date(sinceMs).toISOString() };
}
