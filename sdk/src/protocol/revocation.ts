/** `revocation`: the broker asks an appliance to revoke its certificate by that certificate's own key, and the answer. */
import { id, sha256 } from './fields.ts';
import { LIMITS } from './limits.ts';
import { object, parseWith, text } from './shape.ts';
import type { Parsed } from './shape.ts';

/** Down. All that the appliance does not know itself of a request to revokeCert (RFC 8555 §7.6). */
export interface RevocationWish {
  readonly id: string;
  /** SHA-256 of the leaf's DER, lower-case hex: of the certificate that is in use. */
  readonly fingerprint: string;
  /** Where the CA takes revocations, https. */
  readonly url: string;
  /** For this one request (RFC 8555 §6.5). */
  readonly nonce: string;
}

/** Up. */
export interface SignedRevocation {
  /** That of the wish it answers. */
  readonly id: string;
  readonly jws: FlattenedJws;
}

/** RFC 7515 §7.2.2; each part in base64url. */
export interface FlattenedJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** No space, quote or control character: what is signed reads in one way only. */
const HTTPS_URL = /^https:\/\/[!#-~]+$/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** ES256: two numbers of 32 bytes (RFC 7518 §3.4). */
const ES256_SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

const wishShape = object({
  id,
  fingerprint: sha256,
  url: text(LIMITS.urlCharacters, HTTPS_URL),
  nonce: text(LIMITS.nonceCharacters, BASE64URL),
});

const signedShape = object({
  id,
  jws: object({
    protected: text(LIMITS.jwsHeaderCharacters, BASE64URL),
    payload: text(LIMITS.jwsPayloadCharacters, BASE64URL),
    signature: text(86, ES256_SIGNATURE),
  }),
});

export function parseRevocationWish(value: unknown): Parsed<RevocationWish> {
  return parseWith(wishShape, value);
}

export function parseSignedRevocation(value: unknown): Parsed<SignedRevocation> {
  return parseWith(signedShape, value);
}
