/** Accounts (RFC 8555 §7.3): made, found by key, changed, deactivated. */
import type { AccountKey } from './jws.ts';
import { Problem } from './problems.ts';

export interface Account {
  readonly id: string;
  readonly key: AccountKey | PaperKey;
  readonly contact: readonly string[];
  readonly status: 'valid' | 'deactivated';
  readonly createdAtMs: number;
}

/** Stands for a key where nothing is signed; no signature is ever its own. */
export interface PaperKey {
  readonly kind: 'paper';
  readonly jwk: Readonly<Record<string, string>>;
  readonly thumbprint: string;
  readonly fingerprint: string;
}

/** Accounts never end; more than any simulated vendor needs, and few enough to keep. */
const ACCOUNT_LIMIT = 100_000;

/** Boulder's own limit; RFC 8555 sets none. */
const CONTACT_LIMIT = 10;

export class Accounts {
  readonly #byId = new Map<string, Account>();
  readonly #idByThumbprint = new Map<string, string>();

  get size(): number {
    return this.#byId.size;
  }

  byId(id: string): Account | undefined {
    return this.#byId.get(id);
  }

  byKey(key: Pick<AccountKey, 'thumbprint'>): Account | undefined {
    const id = this.#idByThumbprint.get(key.thumbprint);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  create(key: AccountKey | PaperKey, contact: readonly string[], nowMs: number): Account {
    if (this.#byId.size >= ACCOUNT_LIMIT) {
      throw new Problem('rateLimited', 'too many accounts', { retryAfterSeconds: 3600 });
    }
    checkContact(contact);
    // Decimal and consecutive, as Boulder's are: clients have been known to expect it.
    const account: Account = { id: String(this.#byId.size + 1), key, contact, status: 'valid', createdAtMs: nowMs };
    this.#byId.set(account.id, account);
    this.#idByThumbprint.set(key.thumbprint, account.id);
    return account;
  }

  changeContact(account: Account, contact: readonly string[]): Account {
    checkContact(contact);
    return this.#replace({ ...account, contact });
  }

  deactivate(account: Account): Account {
    return this.#replace({ ...account, status: 'deactivated' });
  }

  /** RFC 8555 §7.3.5. The old key is free again afterwards. */
  changeKey(account: Account, key: AccountKey): Account {
    this.#idByThumbprint.delete(account.key.thumbprint);
    this.#idByThumbprint.set(key.thumbprint, account.id);
    return this.#replace({ ...account, key });
  }

  #replace(account: Account): Account {
    this.#byId.set(account.id, account);
    return account;
  }
}

function checkContact(contact: readonly string[]): void {
  if (contact.length > CONTACT_LIMIT) {
    throw new Problem('malformed', `too many contacts provided: ${contact.length} > ${CONTACT_LIMIT}`);
  }
  for (const url of contact) {
    if (!url.startsWith('mailto:')) {
      throw new Problem('unsupportedContact', `only contact scheme 'mailto:' is supported, not ${JSON.stringify(url)}`);
    }
    // RFC 8555 §7.3: no header fields, one address.
    if (!/^mailto:[^@\s,?]+@[^@\s,?]+\.[^@\s,?]+$/.test(url)) {
      throw new Problem('invalidContact', `${JSON.stringify(url)} is not one e-mail address`);
    }
  }
}
