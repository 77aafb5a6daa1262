/** `certificate`: a request was accepted, or here is the certificate. */
import { toInstant } from './body.ts';
import { id, names, sha256 } from './fields.ts';
import { LIMITS } from './limits.ts';
import { instant, integer, object, optional, parseWith, tagged, text } from './shape.ts';
import type { Parsed } from './shape.ts';

export type Certificate = AcceptedRequest | IssuedCertificate;

/** The request is stored durably; its certificate follows. Repeating it is harmless. */
export interface AcceptedRequest {
  readonly kind: 'accepted';
  /** That of the csr it answers. */
  readonly id?: string;
  readonly keyHash: string;
  /** A guess, not a promise. */
  readonly etaSeconds: number;
}

export interface IssuedCertificate {
  readonly kind: 'issued';
  /** That of the csr it answers; absent when the certificate is sent again. */
  readonly id?: string;
  /** PEM, leaf first. */
  readonly chain: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly keyHash: string;
  readonly names: readonly string[];
  readonly notAfterMs: number;
  /** When the broker intends to ask for a renewal, epoch milliseconds; information only. */
  readonly renewAtMs: number;
}

const shape = tagged({
  accepted: object({ id: optional(id), keyHash: sha256, etaSeconds: integer(0, LIMITS.waitSeconds) }),
  issued: object({
    id: optional(id),
    chain: text(LIMITS.chainCharacters),
    fingerprint: sha256,
    keyHash: sha256,
    names,
    notAfter: instant,
    renewAt: instant,
  }),
});

export function parseCertificate(value: unknown): Parsed<Certificate> {
  const parsed = parseWith(shape, value);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'accepted') return { ok: true, value: parsed.value };
  const { notAfter, renewAt, ...rest } = parsed.value;
  return { ok: true, value: { ...rest, notAfterMs: notAfter, renewAtMs: renewAt } };
}

/** The body of a certificate message, to be given to `encodeBody`. */
export function certificateBody(certificate: Certificate): object {
  if (certificate.kind === 'accepted') return certificate;
  const { notAfterMs, renewAtMs, ...rest } = certificate;
  return { ...rest, notAfter: toInstant(notAfterMs), renewAt: toInstant(renewAtMs) };
}
