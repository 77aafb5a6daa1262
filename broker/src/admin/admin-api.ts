/** The operator's HTTP API: who is enrolled, certified, and why not. Every call but the health check needs the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { ErrorCode, Logger } from '@lanyard/sdk/kernel';
import { isDeviceId } from '@lanyard/sdk/protocol';
import { Hono } from 'hono';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { RevocationRequest } from '../certificates/replacement.ts';
import { REVOCATION_REASONS } from '../certificates/stored-certificate.ts';
import { createAcmeDnsApi } from './acme-dns-api.ts';
import type { AcmeDns } from './acme-dns-api.ts';
import { createForeignApi, LARGEST_OBSERVATION_BYTES, OBSERVED_CERTIFICATES } from './foreign-api.ts';
import type { ForeignCertificates } from './foreign-api.ts';
import { createProbeApi } from './probe-api.ts';
import type { Probe } from './probe-api.ts';
import { readRequest } from './read-request.ts';
import { createRefusedKeysApi } from './refused-keys-api.ts';
import type { RefusedKeys } from './refused-keys-api.ts';
import type { Registry } from './registry.ts';

export interface AdminApiParts {
  readonly registry: Registry;
  readonly foreign: ForeignCertificates;
  readonly refusedKeys: RefusedKeys;
  readonly probe: Probe;
  /** Absent: the acme-dns API is not served. */
  readonly acmeDns?: AcmeDns;
  /** Whether every part of the broker works; the reasons when not. */
  readonly health: () => readonly HealthFinding[];
  readonly token: string;
  readonly log: Logger;
}

export interface HealthFinding {
  readonly part: string;
  readonly isHealthy: boolean;
  readonly detail: string;
}

/** A signing request or public key is under 4 KiB. */
const LARGEST_BODY_BYTES = 16 * 1024;

const enrolment = z.strictObject({
  deviceId: z.string().refine(isDeviceId, 'must be 8 to 64 of a-z, 0-9 and hyphen'),
  /** PEM of a PKCS#10 request made with the identity key, or of the public key alone. */
  csr: z.string().max(8192).optional(),
  publicKey: z.string().max(8192).optional(),
});

const page = z.object({
  after: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const revocation = z.strictObject({
  reason: z.enum(REVOCATION_REASONS).default('unspecified'),
  signedBy: z.enum(['account', 'appliance']).default('account'),
});

const replacement = z.strictObject({
  /** A minute to ninety days. */
  withinSeconds: z.int().min(60).max(7_776_000),
  isDryRun: z.boolean().default(false),
});

const STATUS_OF: Partial<Record<ErrorCode, 400 | 401 | 404 | 409 | 502 | 503>> = {
  'admin-request-invalid': 400,
  'admin-unauthorized': 401,
  'appliance-id-invalid': 400,
  'appliance-unknown': 404,
  'appliance-exists': 409,
  'csr-invalid': 400,
  'csr-weak-key': 400,
  'csr-key-refused': 409,
  'certificate-missing': 409,
  'revocation-unsigned': 409,
  'certificate-unreadable': 400,
  'foreign-certificate-unknown': 404,
  'acme-dns-off': 409,
  'acme-dns-full': 409,
  'acme-dns-account-unknown': 404,
  'authority-refused': 502,
  'authority-protocol': 502,
  'authority-nonce-refused': 502,
  'authority-unreachable': 503,
  'authority-rate-limited': 503,
  'store-failed': 503,
  'dns-serving-failed': 503,
};

export function createAdminApi(parts: AdminApiParts): Hono {
  const { registry, foreign, refusedKeys, probe, acmeDns, health, token, log } = parts;
  const api = new Hono();
  api.use(boundedBodies());
  api.get('/healthz', (context) => {
    const findings = health();
    const isHealthy = findings.every((finding) => finding.isHealthy);
    return context.json({ status: isHealthy ? 'ok' : 'failing', findings }, isHealthy ? 200 : 503);
  });
  api.use('/v1/*', async (context, proceed) => {
    if (!isToken(context.req.header('authorization'), token)) throw new LanyardError('admin-unauthorized');
    await proceed();
  });
  api.post('/v1/appliances', async (context) => {
    const request = readRequest(enrolment, await context.req.json<unknown>().catch(() => undefined));
    return context.json(await registry.enrol(request), 201);
  });
  api.get('/v1/appliances', async (context) =>
    context.json(await registry.list(readRequest(page, context.req.query()))),
  );
  api.get('/v1/appliances/:id', async (context) => context.json(await registry.show(context.req.param('id'))));
  api.post('/v1/appliances/:id/renew', async (context) => context.json(await registry.renew(context.req.param('id'))));
  api.post('/v1/appliances/:id/revoke', async (context) => {
    const wish = readRequest(revocation, await context.req.json<unknown>().catch(() => undefined));
    return context.json(await registry.revoke(context.req.param('id'), revocationOf(wish)));
  });
  api.post('/v1/replacements', async (context) => {
    const wish = readRequest(replacement, await context.req.json<unknown>().catch(() => undefined));
    return context.json(await registry.replaceAll(wish));
  });
  api.route('/', createForeignApi(foreign));
  api.route('/', createRefusedKeysApi(refusedKeys));
  api.route('/', createProbeApi(probe));
  api.route('/', createAcmeDnsApi(acmeDns));
  api.notFound((context) => context.json({ code: 'not-found', message: 'no such resource' }, 404));
  api.onError((error, context) => {
    const known = LanyardError.is(error) ? error : new LanyardError('internal', { cause: error });
    const status = STATUS_OF[known.code] ?? 500;
    if (status === 500) log.error({ err: String(error), path: context.req.path }, 'an admin request failed');
    return context.json({ code: known.code, message: status === 500 ? 'internal error' : known.message }, status);
  });
  return api;
}

function revocationOf({ signedBy, reason }: z.infer<typeof revocation>): RevocationRequest {
  if (signedBy === 'account') return { signedBy, reason };
  if (reason === 'key-compromise') return { signedBy, reason };
  throw new LanyardError('admin-request-invalid', {
    message: 'an appliance signs for no other reason than key-compromise: say --reason key-compromise',
  });
}

/** Read before the token is looked at, whatever the path. */
function boundedBodies(): MiddlewareHandler {
  const [usual, large] = [atMost(LARGEST_BODY_BYTES), atMost(LARGEST_OBSERVATION_BYTES)];
  return async (context, proceed) => {
    const limit = context.req.path === OBSERVED_CERTIFICATES ? large : usual;
    return await limit(context, proceed);
  };
}

function atMost(maxSize: number): MiddlewareHandler {
  const message = `the body has more than ${maxSize} bytes`;
  return bodyLimit({ maxSize, onError: (context) => context.json({ code: 'too-large', message }, 413) });
}

/** Compared as digests: equal length, and no time difference that tells how much was right. */
function isToken(header: string | undefined, token: string): boolean {
  const given = createHash('sha256')
    .update(header ?? '')
    .digest();
  return timingSafeEqual(given, createHash('sha256').update(`Bearer ${token}`).digest());
}
