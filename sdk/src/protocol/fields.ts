/** The fields that several messages share. */
import { LIMITS } from './limits.ts';
import { list, text } from './shape.ts';

/** Correlation id, chosen by the asking side and echoed by the answer. */
export const id = text(LIMITS.idCharacters, /^[A-Za-z0-9._:-]{1,64}$/);

/** SHA-256 in lower-case hex: of a certificate's DER (fingerprint) or of a key's SubjectPublicKeyInfo (key hash). */
export const sha256 = text(64, /^[0-9a-f]{64}$/);

/** A DNS name in lower case without a trailing dot, perhaps a wildcard. */
export const name = text(
  LIMITS.nameCharacters,
  /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
);

export const names = list(name, LIMITS.names);

/** An IPv4 or IPv6 literal; which ones are published is the broker's decision. */
export const address = text(45, /^[0-9a-fA-F:.]{2,45}$/);
