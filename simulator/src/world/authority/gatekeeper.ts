/** Who signed a request, and may it be heard at all (RFC 8555 §6.2 to §6.5). */
import type { Account, Accounts } from './accounts.ts';
import type { Counters } from './counters.ts';
import { BODY_LIMIT_BYTES, type AuthorityRequest } from './exchange.ts';
import { parseJwk, parseJws, verifyJws, type AccountKey, type ProtectedHeader } from './jws.ts';
import type { Links } from './links.ts';
import type { Nonces } from './nonces.ts';
import { Problem } from './problems.ts';

export interface SignedRequest {
  readonly signer: RequestSigner;
  readonly url: string;
  /** Empty: POST-as-GET. */
  readonly payload: Buffer;
}

export type RequestSigner =
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'key'; readonly key: AccountKey };

export interface GatekeeperOptions {
  readonly accounts: Accounts;
  readonly nonces: Nonces;
  readonly links: Links;
  readonly counters: Counters;
}

export class Gatekeeper {
  readonly #parts: GatekeeperOptions;

  constructor(options: GatekeeperOptions) {
    this.#parts = options;
  }

  /** @throws Problem */
  admit(request: AuthorityRequest): SignedRequest {
    if (request.body.length > BODY_LIMIT_BYTES) {
      throw new Problem('malformed', 'Request body too large', { status: 413 });
    }
    // RFC 8555 §6.2.
    if (request.contentType !== 'application/jose+json') {
      throw new Problem(
        'malformed',
        'Invalid Content-Type header on POST. Content-Type must be "application/jose+json"',
        {
          status: 415,
        },
      );
    }
    const message = parseJws(request.body);
    const signer = this.#signer(message.header);
    verifyJws(message, keyOf(signer));
    this.#redeem(message.header.nonce);
    const url = this.#parts.links.at(request.path);
    if (message.header.url !== url) {
      throw new Problem('unauthorized', `JWS header parameter 'url' incorrect. Expected ${JSON.stringify(url)}`);
    }
    // Only now, when it is certain that the account's owner asks.
    if (signer.kind === 'account' && signer.account.status !== 'valid') {
      throw new Problem('unauthorized', `Account is not valid, has status "${signer.account.status}"`);
    }
    return { signer, url, payload: message.payload };
  }

  #signer(header: ProtectedHeader): RequestSigner {
    const { jwk, kid } = header;
    if (kid === undefined) {
      if (jwk === undefined) throw new Problem('malformed', 'No signing key: the JWS header needs "jwk" or "kid"');
      return { kind: 'key', key: parseJwk(jwk) };
    }
    if (jwk !== undefined) throw new Problem('malformed', '"jwk" and "kid" header fields are mutually exclusive');
    const id = this.#parts.links.accountIdOf(kid);
    if (id === undefined) throw new Problem('malformed', 'KeyID header contained an invalid account URL');
    const account = this.#parts.accounts.byId(id);
    if (account === undefined) throw new Problem('accountDoesNotExist', `Account ${JSON.stringify(kid)} not found`);
    return { kind: 'account', account };
  }

  #redeem(nonce: string | undefined): void {
    if (nonce !== undefined && this.#parts.nonces.redeem(nonce)) return;
    this.#parts.counters.add('badNonces');
    throw new Problem(
      'badNonce',
      nonce === undefined ? 'JWS has no anti-replay nonce' : 'JWS has an invalid anti-replay nonce',
    );
  }
}

function keyOf(signer: RequestSigner): AccountKey {
  if (signer.kind === 'key') return signer.key;
  const { key } = signer.account;
  if (key.kind === 'paper') throw new Problem('unauthorized', 'The account has no key to sign with');
  return key;
}

/** The signing account where RFC 8555 wants one. */
export function requireAccount(request: SignedRequest): Account {
  if (request.signer.kind === 'account') return request.signer.account;
  throw new Problem('malformed', 'No Key ID in JWS header');
}

/** The key that signed, where RFC 8555 wants it in the header. */
export function requireKey(request: SignedRequest): AccountKey {
  if (request.signer.kind === 'key') return request.signer.key;
  throw new Problem('malformed', 'No embedded JWK in JWS header');
}
