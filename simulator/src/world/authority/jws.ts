/** Signed requests (RFC 8555 §6.2): flattened JWS in, checked parts out. */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { judgeKey, keyFingerprint, type KeyKind } from './good-key.ts';
import { Problem } from './problems.ts';

export interface SignedMessage {
  readonly header: ProtectedHeader;
  readonly payload: Buffer;
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

export interface AccountKey {
  readonly publicKey: KeyObject;
  readonly kind: KeyKind;
  /** Canonical public JWK. */
  readonly jwk: Readonly<Record<string, string>>;
  /** RFC 7638, as key authorizations need it. */
  readonly thumbprint: string;
  readonly fingerprint: string;
}

const ALGORITHMS = {
  ES256: { kind: 'P-256', hash: 'sha256' },
  ES384: { kind: 'P-384', hash: 'sha384' },
  RS256: { kind: 'RSA', hash: 'sha256' },
} as const satisfies Record<string, { kind: KeyKind; hash: string }>;

const Base64url = z.string().regex(/^[A-Za-z0-9_-]*$/, 'is not base64url');

/** Strict: RFC 8555 §6.2 forbids the unprotected header, and the general serialization has `signatures`. */
const Flattened = z.strictObject({ protected: Base64url, payload: Base64url, signature: Base64url });

const Header = z.object({
  alg: z.string(),
  url: z.string().optional(),
  nonce: z.string().optional(),
  kid: z.string().optional(),
  jwk: z.unknown().optional(),
  crit: z.never({ error: 'names extensions that are not understood' }).optional(),
});

export type ProtectedHeader = z.infer<typeof Header>;

const Jwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.string(), x: Base64url, y: Base64url }),
  z.object({ kty: z.literal('RSA'), n: Base64url, e: Base64url }),
]);

/** @throws Problem `malformed` */
export function parseJws(body: Uint8Array): SignedMessage {
  const outer = parse(Flattened, parseJson(body, 'JWS'), 'JWS');
  const header = parse(Header, parseJson(Buffer.from(outer.protected, 'base64url'), 'JWS header'), 'JWS header');
  return {
    header,
    payload: Buffer.from(outer.payload, 'base64url'),
    signingInput: Buffer.from(`${outer.protected}.${outer.payload}`, 'ascii'),
    signature: Buffer.from(outer.signature, 'base64url'),
  };
}

/** @throws Problem `malformed` | `badPublicKey` */
export function parseJwk(input: unknown): AccountKey {
  if (typeof input === 'object' && input !== null && 'd' in input) {
    throw new Problem('malformed', 'JWK contains a private key; it must be considered compromised');
  }
  const jwk = parse(Jwk, input, 'JWK');
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    throw new Problem('badPublicKey', 'JWK is not a valid public key');
  }
  const verdict = judgeKey(publicKey);
  if ('refusal' in verdict) throw new Problem('badPublicKey', `invalid account key: ${verdict.refusal}`);
  const canonical = canonicalJwk(publicKey);
  return {
    publicKey,
    kind: verdict.kind,
    jwk: canonical,
    thumbprint: createHash('sha256').update(JSON.stringify(canonical)).digest('base64url'),
    fingerprint: keyFingerprint(publicKey),
  };
}

/** @throws Problem `badSignatureAlgorithm` | `malformed` when the signature is not this key's. */
export function verifyJws(message: SignedMessage, key: AccountKey): void {
  const algorithm = Object.entries(ALGORITHMS).find(([name]) => name === message.header.alg)?.[1];
  if (algorithm === undefined || algorithm.kind !== key.kind) {
    throw new Problem('badSignatureAlgorithm', `JWS signature algorithm "${message.header.alg}" does not fit the key`, {
      algorithms: Object.keys(ALGORITHMS),
    });
  }
  const isGood = verify(
    algorithm.hash,
    message.signingInput,
    // RFC 7518 §3.4: the two integers side by side, not DER.
    { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
    message.signature,
  );
  if (!isGood) throw new Problem('malformed', 'JWS verification error');
}

export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem('malformed', `${what} is not JSON`);
  }
}

export function parse<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.');
  throw new Problem('malformed', `${what}${where ? ` member "${where}"` : ''}: ${issue?.message ?? 'invalid'}`);
}

/** RFC 7638 §3: the required members alone, in this order. */
function canonicalJwk(publicKey: KeyObject): Readonly<Record<string, string>> {
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
  const members = kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));
}
