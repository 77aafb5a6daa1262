/** A vault without a disk, whose disk can be told to fail. */
import { LanyardError } from '../kernel/errors.ts';
import type { Vault, VaultEntry } from '../vault/vault.ts';

export interface MemoryVault extends Vault {
  /** While true every write and removal fails as on a full disk, and changes nothing. */
  failWrites(isFull: boolean): void;
  /** Damages the entry: its next read fails, the one after finds nothing. Harmless when there is none. */
  corrupt(entry: VaultEntry): void;
  /** How many writes have reached the medium: what flash memory wears out by. */
  readonly writeCount: number;
}

export function memoryVault(): MemoryVault {
  return new VaultInMemory();
}

class VaultInMemory implements MemoryVault {
  readonly #entries = new Map<VaultEntry, Uint8Array>();
  readonly #damaged = new Set<VaultEntry>();
  #isFull = false;
  #writeCount = 0;

  get writeCount(): number {
    return this.#writeCount;
  }

  failWrites(isFull: boolean): void {
    this.#isFull = isFull;
  }

  corrupt(entry: VaultEntry): void {
    if (this.#entries.has(entry)) this.#damaged.add(entry);
  }

  async read(entry: VaultEntry): Promise<Uint8Array | undefined> {
    if (this.#damaged.delete(entry)) {
      this.#entries.delete(entry);
      throw new LanyardError('vault-corrupt', {
        message: `${entry} in the vault fails its checksum`,
        details: { entry },
      });
    }
    // A copy: a caller that changes what it read must not change what is kept.
    return this.#entries.get(entry)?.slice();
  }

  async write(entry: VaultEntry, bytes: Uint8Array): Promise<void> {
    this.#demandSpace(`${entry} could not be written`);
    this.#damaged.delete(entry);
    this.#entries.set(entry, bytes.slice());
    this.#writeCount += 1;
  }

  async remove(entry: VaultEntry): Promise<void> {
    if (!this.#entries.has(entry)) return;
    this.#demandSpace(`${entry} could not be removed`);
    this.#damaged.delete(entry);
    this.#entries.delete(entry);
  }

  #demandSpace(what: string): void {
    if (this.#isFull) throw new LanyardError('vault-unwritable', { message: `${what}: ENOSPC` });
  }
}
