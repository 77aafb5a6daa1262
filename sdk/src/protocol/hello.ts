/** `hello`: what the appliance has. Said on every connect and whenever an address changes. */
import { toInstant } from './body.ts';
import { address, id, sha256 } from './fields.ts';
import { LIMITS } from './limits.ts';
import { flag, instant, list, object, oneOf, optional, parseWith, text } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface Hello {
  readonly id: string;
  /** New at every start of the appliance. */
  readonly bootId: string;
  /** What the appliance believes the time is, epoch milliseconds; may be decades off. */
  readonly clockMs: number;
  readonly addresses: readonly ReportedAddress[];
  /** The certificate it serves; absent when it has none. */
  readonly certificate?: HeldCertificate;
  /** Hash of a key whose certificate it still waits for; absent when there is none. */
  readonly pendingKeyHash?: string;
  readonly sdkVersion: string;
  readonly firmwareVersion?: string;
  readonly model?: string;
  /** Whether the LAN's own resolver answers the appliance's name with its address. */
  readonly rebinding: 'ok' | 'blocked' | 'unknown';
}

export interface ReportedAddress {
  readonly address: string;
  readonly interface: string;
  /** Whether the default route leaves through this interface. */
  readonly isDefaultRoute: boolean;
}

export interface HeldCertificate {
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notAfterMs: number;
  /** SHA-256 of the key's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string;
}

const label = text(LIMITS.labelCharacters);

const shape = object({
  id,
  bootId: id,
  clock: instant,
  addresses: list(
    object({ address, interface: text(LIMITS.interfaceCharacters), isDefaultRoute: flag }),
    LIMITS.addresses,
  ),
  certificate: optional(object({ fingerprint: sha256, notAfter: instant, keyHash: sha256 })),
  pendingKeyHash: optional(sha256),
  sdkVersion: label,
  firmwareVersion: optional(label),
  model: optional(label),
  rebinding: oneOf(['ok', 'blocked', 'unknown']),
});

export function parseHello(value: unknown): Parsed<Hello> {
  const parsed = parseWith(shape, value);
  if (!parsed.ok) return parsed;
  const { clock, certificate, ...rest } = parsed.value;
  const held = certificate && {
    certificate: {
      fingerprint: certificate.fingerprint,
      notAfterMs: certificate.notAfter,
      keyHash: certificate.keyHash,
    },
  };
  return { ok: true, value: { ...rest, clockMs: clock, ...held } };
}

/** The body of a hello, to be given to `encodeBody`. */
export function helloBody(hello: Hello): object {
  const { clockMs, certificate, ...rest } = hello;
  const held = certificate && {
    certificate: {
      fingerprint: certificate.fingerprint,
      notAfter: toInstant(certificate.notAfterMs),
      keyHash: certificate.keyHash,
    },
  };
  return { ...rest, clock: toInstant(clockMs), ...held };
}
