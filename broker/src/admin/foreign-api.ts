/** The part of the admin API that hears of certificates in public logs, and tells which of them nobody here asked for. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ForeignCertificate } from '../certificates/foreign/foreign-store.ts';
import type { ForeignWatch } from '../certificates/foreign/foreign-watch.ts';
import type { ObservedCertificate } from '../certificates/foreign/observed-certificate.ts';
import { readRequest } from './read-request.ts';

export type ForeignCertificates = Pick<ForeignWatch, 'observe' | 'list' | 'settle'>;

/** A leaf with its issuers, of which the first counts: 64 KiB is eight times what a hundred names need. */
const observation = z.strictObject({ pem: z.string().max(65_536) });

/** The body around it: JSON writes each line end as two characters. */
export const LARGEST_OBSERVATION_BYTES = 80 * 1024;

export const OBSERVED_CERTIFICATES = '/v1/observed-certificates';

export function createForeignApi(foreign: ForeignCertificates): Hono {
  const api = new Hono();
  api.post(OBSERVED_CERTIFICATES, async (context) => {
    const { pem } = readRequest(observation, await context.req.json<unknown>().catch(() => undefined));
    const { verdict, certificate } = await foreign.observe(pem);
    return context.json({ verdict, certificate: certificateView(certificate) });
  });
  api.get('/v1/foreign-certificates', async (context) => {
    const certificates = await foreign.list();
    return context.json({ certificates: certificates.map(foreignView) });
  });
  api.post('/v1/foreign-certificates/:fingerprint/settle', async (context) => {
    await foreign.settle(context.req.param('fingerprint'));
    return context.json({});
  });
  return api;
}

function certificateView(certificate: ObservedCertificate) {
  const { fingerprint, names, serial, issuer, keyHash, notBeforeMs, notAfterMs } = certificate;
  return { fingerprint, names, serial, issuer, keyHash, notBefore: iso(notBeforeMs), notAfter: iso(notAfterMs) };
}

function foreignView(certificate: ForeignCertificate) {
  const { seenAtMs, settledAtMs } = certificate;
  const settled = settledAtMs === undefined ? {} : { settledAt: iso(settledAtMs) };
  return { ...certificateView(certificate), seenAt: iso(seenAtMs), ...settled };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
