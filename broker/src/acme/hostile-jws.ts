/** For tests: signed requests (RFC 8555 §6.2) as the hostile CA reads them. */
import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { isObject } from './problems.ts';

export interface Signed {
  readonly payload: unknown;
  readonly nonce: string | undefined;
  readonly url: string;
  readonly kid: string | undefined;
  readonly jwk: unknown;
  readonly input: string;
  readonly signature: string;
}

export function openJws(jws: unknown): Signed {
  if (!isObject(jws)) throw new Error('not a JWS');
  const [head, payload, signature] = ['protected', 'payload', 'signature'].map((part) => String(jws[part]));
  const header: unknown = JSON.parse(Buffer.from(head ?? '', 'base64url').toString());
  if (!isObject(header)) throw new Error('not a JWS header');
  return {
    payload: payload === '' ? undefined : JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()),
    nonce: typeof header['nonce'] === 'string' ? header['nonce'] : undefined,
    url: String(header['url']),
    kid: typeof header['kid'] === 'string' ? header['kid'] : undefined,
    jwk: header['jwk'],
    input: `${head}.${payload}`,
    signature: signature ?? '',
  };
}

export function isSignedBy({ input, signature }: Signed, jwk: JsonWebKey): boolean {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const digest = jwk.crv === 'P-384' ? 'sha384' : 'sha256';
  return verify(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
}

/**
 * The key that a key change asks for (RFC 8555 §7.3.5), as JSON, or why it is refused.
 * @param accounts URL → key as JSON.
 */
export function keyWanted(outer: Signed, accounts: ReadonlyMap<string, string>): { key: string } | { fault: string } {
  const inner = openJws(outer.payload);
  const { account, oldKey } = isObject(inner.payload) ? inner.payload : {};
  if (!isObject(inner.jwk) || !isSignedBy(inner, inner.jwk)) return { fault: 'the inner signature is bad' };
  if (inner.nonce !== undefined || inner.kid !== undefined || inner.url !== outer.url) return { fault: 'inner header' };
  if (typeof account !== 'string' || account !== outer.kid) return { fault: 'another account' };
  if (JSON.stringify(oldKey) !== accounts.get(account)) return { fault: 'another old key' };
  const key = JSON.stringify(inner.jwk);
  return [...accounts.values()].includes(key) ? { fault: 'the new key is in use' } : { key };
}
