/** What the vault's entries mean: the certificate in use with its key, the one before, and a key that waits. */
import { LanyardError } from '../kernel/errors.ts';
import { names } from '../protocol/fields.ts';
import { object, oneOf, parseWith, text } from '../protocol/shape.ts';
import type { Shape } from '../protocol/shape.ts';
import type { Vault, VaultEntry } from '../vault/vault.ts';
import type { CertificateReader } from './certificate-reader.ts';
import type { Credential } from './credential.ts';
import type { KeyPair } from './key-maker.ts';

/** A key that waits for its certificate, and the names it asks for. */
export interface PendingPair extends KeyPair {
  readonly names: readonly string[];
}

/** Key and chain are one entry, so that an installation is one atomic write and can never mix two pairs. */
export class CertificateStore {
  readonly #vault: Vault;
  readonly #reader: CertificateReader;
  #current: Credential | undefined;
  #pending: PendingPair | undefined;
  #faults: readonly LanyardError[] = [];

  constructor({ vault, reader }: { readonly vault: Vault; readonly reader: CertificateReader }) {
    this.#vault = vault;
    this.#reader = reader;
  }

  get current(): Credential | undefined {
    return this.#current;
  }

  get pending(): PendingPair | undefined {
    return this.#pending;
  }

  /** Entries that could not be used, each with its reason; the appliance goes on without them. */
  get faults(): readonly LanyardError[] {
    return this.#faults;
  }

  /** Reads everything; what is corrupt is left out, and `previous` stands in for a lost `current`. */
  async load(): Promise<void> {
    const faults: LanyardError[] = [];
    this.#current =
      (await this.#read('current', this.#parseCredential, faults)) ??
      (await this.#read('previous', this.#parseCredential, faults));
    const pending = await this.#read('pending', this.#parsePending, faults);
    // After a power cut between the last two writes of an installation the key is in both entries.
    this.#pending = pending?.keyHash === this.#current?.keyHash ? undefined : pending;
    this.#faults = faults;
  }

  /** When it resolves the key survives a power cut: now its request may leave. */
  async keepPending(pending: PendingPair): Promise<void> {
    await this.#write('pending', { key: pending.keyPem, names: pending.names });
    this.#pending = pending;
  }

  /** When it resolves the credential survives a power cut: now it may be served. */
  async install(credential: Credential): Promise<void> {
    const old = this.#current;
    if (old) await this.#write('previous', { key: old.keyPem, chain: old.chainPem });
    await this.#write('current', { key: credential.keyPem, chain: credential.chainPem });
    this.#current = credential;
    if (this.#pending?.keyHash !== credential.keyHash) return;
    this.#pending = undefined;
    // The certificate is safe; a pending entry that cannot be removed is recognised at the next start.
    await this.#vault.remove('pending').catch(() => {});
  }

  readonly #parseCredential = (body: unknown): Credential => {
    const { key, chain } = read(credentialShape, body);
    return this.#reader.read(key, chain);
  };

  readonly #parsePending = (body: unknown): PendingPair => {
    const { key, names: wanted } = read(pendingShape, body);
    return { keyPem: key, keyHash: this.#reader.keyHash(key), names: wanted };
  };

  async #read<T>(entry: VaultEntry, parse: (body: unknown) => T, faults: LanyardError[]): Promise<T | undefined> {
    try {
      const bytes = await this.#vault.read(entry);
      return bytes === undefined ? undefined : parse(parseJson(bytes));
    } catch (error) {
      if (LanyardError.is(error, 'vault-corrupt')) faults.push(error);
      else if (LanyardError.is(error, 'certificate-refused')) faults.push(corrupt(entry, error.message, error));
      else throw error;
      return undefined;
    }
  }

  #write(entry: VaultEntry, body: object): Promise<void> {
    return this.#vault.write(entry, new Uint8Array(Buffer.from(JSON.stringify({ format: FORMAT, ...body }))));
  }
}

/** Stands in every entry, so that a later version can tell what it reads. */
const FORMAT = 'lanyard-1';
/** An RSA 4096 key is 3.3 kB as PEM. */
const KEY_CHARACTERS = 8 * 1024;
const CHAIN_CHARACTERS = 64 * 1024;

const format = oneOf([FORMAT]);
const credentialShape = object({ format, key: text(KEY_CHARACTERS), chain: text(CHAIN_CHARACTERS) });
const pendingShape = object({ format, key: text(KEY_CHARACTERS), names });

function read<T>(shape: Shape<T>, body: unknown): T {
  const parsed = parseWith(shape, body);
  if (!parsed.ok) throw new LanyardError('vault-corrupt', { message: `an entry of the vault: ${parsed.message}` });
  return parsed.value;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function corrupt(entry: VaultEntry, why: string, cause: unknown): LanyardError {
  return new LanyardError('vault-corrupt', { message: `${entry} in the vault: ${why}`, cause, details: { entry } });
}
