/** The vault as a directory of files that survive a power cut at any instant. */
import { join } from 'node:path';
import { LanyardError, describeError } from '../kernel/errors.ts';
import { nodeDisk, systemCodeOf } from './disk.ts';
import type { Disk } from './disk.ts';
import { replaceDurably, UNFINISHED_SUFFIX } from './replace-durably.ts';
import { ENTRY_BYTES, HEADER_BYTES, openEntry, sealEntry } from './sealed-entry.ts';
import { VAULT_ENTRIES } from './vault.ts';
import type { Vault, VaultEntry } from './vault.ts';

/** One process owns the directory. Writes happen only when there is something new to keep: flash wears out. */
export function fileVault(directory: string, disk: Disk = nodeDisk): Vault {
  return new FileVault(directory, disk);
}

/** The lifecycle never has more than a handful under way; more would mean that the disk hangs. */
const WAITING_OPERATIONS = 32;

class FileVault implements Vault {
  readonly #directory: string;
  readonly #disk: Disk;
  /** Entries that failed their checksum and could not be renamed, because the disk is read-only. */
  readonly #brokenInPlace = new Set<VaultEntry>();
  #isTidied = false;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  read(entry: VaultEntry): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      await this.#tidyOnce();
      if (this.#brokenInPlace.has(entry)) return undefined;
      const file = await this.#disk.read(this.#path(entry), ENTRY_BYTES + HEADER_BYTES).catch((error: unknown) => {
        throw unwritable(`${this.#path(entry)} could not be read`, error);
      });
      if (file === undefined) return undefined;
      const opened = openEntry(file);
      if (opened.kind === 'whole') return opened.entry;
      await this.#setAside(entry);
      throw new LanyardError('vault-corrupt', { message: `${entry} in the vault ${opened.why}`, details: { entry } });
    });
  }

  write(entry: VaultEntry, bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > ENTRY_BYTES) {
      const message = `${entry} has ${bytes.byteLength} bytes; the vault takes ${ENTRY_BYTES}`;
      return Promise.reject(new LanyardError('vault-unwritable', { message, details: { entry } }));
    }
    const sealed = sealEntry(bytes);
    return this.#inTurn(async () => {
      await this.#tidyOnce();
      try {
        await this.#disk.makeDirectory(this.#directory);
        await replaceDurably(this.#disk, this.#directory, entry, sealed);
      } catch (error) {
        throw unwritable(`${this.#path(entry)} could not be written`, error);
      }
      this.#brokenInPlace.delete(entry);
    });
  }

  remove(entry: VaultEntry): Promise<void> {
    return this.#inTurn(async () => {
      await this.#tidyOnce();
      try {
        const names = await this.#disk.list(this.#directory);
        if (!names.includes(entry)) return;
        await this.#disk.remove(this.#path(entry));
        await this.#disk.syncDirectory(this.#directory);
      } catch (error) {
        throw unwritable(`${this.#path(entry)} could not be removed`, error);
      }
      this.#brokenInPlace.delete(entry);
    });
  }

  /** Runs one operation after the other: a read must not meet a half-done write of the same entry. */
  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_OPERATIONS) {
      return Promise.reject(new LanyardError('vault-unwritable', { message: 'the disk does not answer' }));
    }
    this.#waiting += 1;
    const result = this.#last.then(operation).finally(() => (this.#waiting -= 1));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Removes what a crash left half written, and nothing else. On a read-only disk it stays, and does no harm. */
  async #tidyOnce(): Promise<void> {
    if (this.#isTidied) return;
    this.#isTidied = true;
    const unfinished = new Set<string>(VAULT_ENTRIES.map((entry) => entry + UNFINISHED_SUFFIX));
    const names = await this.#disk.list(this.#directory).catch(() => []);
    for (const name of names.filter((each) => unfinished.has(each))) {
      await this.#disk.remove(join(this.#directory, name)).catch(() => {});
    }
  }

  async #setAside(entry: VaultEntry): Promise<void> {
    try {
      await this.#disk.rename(this.#path(entry), `${this.#path(entry)}.corrupt`);
      await this.#disk.syncDirectory(this.#directory);
    } catch {
      this.#brokenInPlace.add(entry);
    }
  }

  #path(entry: VaultEntry): string {
    return join(this.#directory, entry);
  }
}

function unwritable(what: string, cause: unknown): LanyardError {
  const systemCode = systemCodeOf(cause);
  const message = `${what}: ${systemCode ?? describeError(cause)}`;
  return new LanyardError('vault-unwritable', { message, cause, details: { systemCode } });
}
