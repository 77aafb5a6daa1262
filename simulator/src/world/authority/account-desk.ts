/** newAccount, the account's own URL and keyChange (RFC 8555 §7.3). */
import type { Clock } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import type { Account, Accounts } from './accounts.ts';
import type { Certificates } from './certificates.ts';
import type { Counters } from './counters.ts';
import { json, type Answer } from './exchange.ts';
import { requireAccount, requireKey, type SignedRequest } from './gatekeeper.ts';
import { parse, parseJson, parseJwk, parseJws, verifyJws, type AccountKey } from './jws.ts';
import type { Limiter } from './limiter.ts';
import type { Links } from './links.ts';
import { Problem } from './problems.ts';

export interface AccountDeskOptions {
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly certificates: Certificates;
  readonly limiter: Limiter;
  readonly links: Links;
  readonly counters: Counters;
}

const NewAccount = z.object({
  contact: z.array(z.string()).optional(),
  termsOfServiceAgreed: z.boolean().optional(),
  onlyReturnExisting: z.boolean().optional(),
});

const AccountChange = z.object({
  contact: z.array(z.string()).optional(),
  status: z.string().optional(),
});

const KeyChange = z.object({ account: z.string(), oldKey: z.unknown() });

export class AccountDesk {
  readonly #parts: AccountDeskOptions;

  constructor(options: AccountDeskOptions) {
    this.#parts = options;
  }

  newAccount(request: SignedRequest, address?: string): Answer {
    const key = requireKey(request);
    const wanted = parse(NewAccount, parseJson(request.payload, 'newAccount request'), 'newAccount request');
    const existing = this.#parts.accounts.byKey(key);
    if (existing?.status === 'deactivated') {
      throw new Problem('unauthorized', 'An account with the provided public key exists but is deactivated');
    }
    // RFC 8555 §7.3.1: 200 tells that it was there before, whatever else the request says.
    if (existing !== undefined) return this.#present(existing, 200);
    if (wanted.onlyReturnExisting === true) {
      throw new Problem('accountDoesNotExist', 'No account exists with the provided key');
    }
    if (wanted.termsOfServiceAgreed !== true) throw new Problem('malformed', 'must agree to terms of service');
    this.#refuseBlocked(key);
    this.#parts.limiter.admitAccount(address);
    const account = this.#parts.accounts.create(key, wanted.contact ?? [], this.#parts.clock.nowMs());
    this.#parts.counters.add('accounts');
    return this.#present(account, 201);
  }

  account(request: SignedRequest, id: string): Answer {
    const account = requireAccount(request);
    if (account.id !== id) throw new Problem('unauthorized', 'Request signing key did not match account key');
    if (request.payload.length === 0) return this.#present(account, 200);
    const change = parse(AccountChange, parseJson(request.payload, 'account update'), 'account update');
    if (change.status === 'deactivated') return this.#present(this.#parts.accounts.deactivate(account), 200);
    // RFC 8555 §7.3.2: a client may send back what it got.
    if (change.status !== undefined && change.status !== account.status) {
      throw new Problem('malformed', `Invalid value provided for status field: ${JSON.stringify(change.status)}`);
    }
    if (change.contact === undefined) return this.#present(account, 200);
    return this.#present(this.#parts.accounts.changeContact(account, change.contact), 200);
  }

  /** RFC 8555 §7.3.5: the new key signs inside that it wants the account, the old key outside that it may. */
  keyChange(request: SignedRequest): Answer {
    const account = requireAccount(request);
    const inner = parseJws(request.payload);
    if (inner.header.kid !== undefined) throw new Problem('malformed', 'inner JWS must not have a "kid"');
    const newKey = parseJwk(inner.header.jwk);
    verifyJws(inner, newKey);
    if (inner.header.nonce !== undefined) throw new Problem('malformed', 'inner JWS must not have a "nonce"');
    if (inner.header.url !== request.url) throw new Problem('malformed', 'inner and outer JWS differ in "url"');
    const change = parse(KeyChange, parseJson(inner.payload, 'keyChange request'), 'keyChange request');
    if (change.account !== this.#parts.links.account(account.id)) {
      throw new Problem('malformed', 'keyChange "account" is not the account that signed the request');
    }
    if (parseJwk(change.oldKey).thumbprint !== account.key.thumbprint) {
      throw new Problem('malformed', 'keyChange "oldKey" is not the current key of the account');
    }
    const owner = this.#parts.accounts.byKey(newKey);
    if (owner !== undefined) {
      throw new Problem('malformed', 'New key is already in use for a different account', {
        status: 409,
        location: this.#parts.links.account(owner.id),
      });
    }
    this.#refuseBlocked(newKey);
    return this.#present(this.#parts.accounts.changeKey(account, newKey), 200);
  }

  #refuseBlocked(key: AccountKey): void {
    if (this.#parts.certificates.isBlocked(key.fingerprint)) {
      throw new Problem('badPublicKey', 'invalid account key: public key is forbidden');
    }
  }

  /** Without `orders`: Boulder keeps no such list, and clients must remember their own. */
  #present(account: Account, status: number): Answer {
    const { links } = this.#parts;
    const view = {
      status: account.status,
      key: account.key.jwk,
      ...(account.contact.length === 0 ? {} : { contact: account.contact }),
      createdAt: new Date(account.createdAtMs).toISOString(),
    };
    return { ...json(view, status), location: links.account(account.id), links: { 'terms-of-service': links.terms } };
  }
}
