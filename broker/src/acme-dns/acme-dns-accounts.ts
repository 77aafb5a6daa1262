/** The accounts of the acme-dns API, and what their names say in the zone. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Clock, Logger, Random, Runnable } from '@lanyard/sdk/kernel';
import { isPassword, makeAccount, withNewest } from './account.ts';
import type { AcmeDnsAccount } from './account.ts';
import type { AccountStore } from './account-store.ts';
import { isNetwork, Networks } from './networks.ts';

export interface AcmeDnsAccountsParts {
  readonly store: AccountStore;
  readonly board: TextBoard;
  /** What the accounts' names end in. */
  readonly apex: string;
  readonly mostAccounts: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Port: where texts are published. */
export interface TextBoard {
  /** Makes `texts` all that `name` says; resolves when it is stored and served. */
  setTexts(name: string, texts: readonly string[]): Promise<void>;
}

/** Told once: the password is not kept. */
export interface Registration {
  readonly username: string;
  readonly password: string;
  readonly name: string;
  readonly label: string;
  readonly allowFrom: readonly string[];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Address of who shows them. */
  readonly from: string;
}

/** Ten machines with two families and some to spare. */
const MOST_NETWORKS = 32;

export class AcmeDnsAccounts implements Runnable {
  readonly #parts: AcmeDnsAccountsParts;
  /** By user name. All are held here: whoever knocks without an account costs the database nothing. */
  readonly #accounts = new Map<string, AcmeDnsAccount>();

  constructor(parts: AcmeDnsAccountsParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    for (const account of await this.#parts.store.list()) this.#accounts.set(account.username, account);
  }

  async stop(): Promise<void> {
    this.#accounts.clear();
  }

  /** @throws LanyardError `admin-request-invalid` | `acme-dns-full` | `store-failed`. */
  async register(allowFrom: readonly string[]): Promise<Registration> {
    const { store, apex, mostAccounts, clock, random, log } = this.#parts;
    const networks = allowFrom.map((entry) => entry.replaceAll(/[[\]]/g, ''));
    if (networks.length > MOST_NETWORKS || !networks.every(isNetwork)) {
      const message = `allowFrom: must be at most ${MOST_NETWORKS} CIDR blocks`;
      throw new LanyardError('admin-request-invalid', { message });
    }
    if (this.#accounts.size >= mostAccounts) throw new LanyardError('acme-dns-full');
    const { account, password } = makeAccount(random, { allowFrom: networks, createdAtMs: clock.nowMs() });
    const { username, label } = account;
    // Counted while it is being stored, or many at once would be more than there may be.
    this.#accounts.set(username, account);
    try {
      await store.add(account);
    } catch (error) {
      this.#accounts.delete(username);
      throw error;
    }
    log.info({ label }, 'acme-dns: account registered');
    return { username, password, name: `${label}.${apex}`, label, allowFrom: networks };
  }

  /** The account, if the password is right and it may be used from there. */
  authenticate({ username, password, from }: Credentials): AcmeDnsAccount | undefined {
    const account = this.#accounts.get(username.toLowerCase());
    if (!isPassword(password, account) || account === undefined) return undefined;
    const { allowFrom } = account;
    return allowFrom.length === 0 || new Networks(allowFrom).has(from) ? account : undefined;
  }

  /**
   * Adds a text to those of the account's name; the oldest goes.
   * @throws LanyardError `store-failed` | `dns-serving-failed`; repeating it does no harm.
   */
  async update({ username }: AcmeDnsAccount, text: string): Promise<void> {
    const { store, board, clock } = this.#parts;
    const account = this.#accounts.get(username);
    if (account === undefined) throw new LanyardError('acme-dns-account-unknown');
    const { label } = account;
    const lastUpdateAtMs = clock.nowMs();
    const texts = withNewest(account.texts, text);
    // At once: the next update, which may come before this one is stored, builds upon it.
    this.#accounts.set(username, { ...account, texts, lastUpdateAtMs });
    await store.noteTexts(label, texts, lastUpdateAtMs);
    // Removed meanwhile: what is published now nobody would take down.
    if (this.#accounts.has(username)) await board.setTexts(this.#nameOf(label), texts);
  }

  list(): readonly (Omit<AcmeDnsAccount, 'passwordHash'> & { readonly name: string })[] {
    return [...this.#accounts.values()].map(({ passwordHash: _secret, ...account }) => ({
      ...account,
      name: this.#nameOf(account.label),
    }));
  }

  /** With its texts. @throws LanyardError `acme-dns-account-unknown` | `store-failed` | `dns-serving-failed`. */
  async remove(label: string): Promise<void> {
    const { store, board, log } = this.#parts;
    const account = [...this.#accounts.values()].find((each) => each.label === label);
    if (account === undefined) throw new LanyardError('acme-dns-account-unknown');
    this.#accounts.delete(account.username);
    try {
      // The texts first: what a crash leaves between the two can be removed again.
      await board.setTexts(this.#nameOf(label), []);
      await store.remove(label);
    } catch (error) {
      this.#accounts.set(account.username, account);
      throw error;
    }
    log.info({ label }, 'acme-dns: account removed');
  }

  #nameOf(label: string): string {
    return `${label}.${this.#parts.apex}`;
  }
}
