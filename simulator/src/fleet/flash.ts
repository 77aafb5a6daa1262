/** The flash memory of a pretend appliance: a vault that counts what wears it out, fails on demand, and can be copied. */
import type { Vault, VaultEntry } from '@lanyard/sdk';
import { LanyardError } from '@lanyard/sdk/kernel';

export type FlashImage = ReadonlyMap<VaultEntry, Uint8Array>;

/** Full or read-only: nothing can be written, everything can be read. */
export type FlashFault = 'full' | 'read-only';

export class Flash implements Vault {
  readonly #onWritten: (bytes: number) => void;
  #entries = new Map<VaultEntry, Uint8Array>();
  #fault: FlashFault | undefined;

  constructor({ onWritten }: { readonly onWritten: (bytes: number) => void }) {
    this.#onWritten = onWritten;
  }

  get isBroken(): boolean {
    return this.#fault !== undefined;
  }

  breakDown(fault: FlashFault | undefined): void {
    this.#fault = fault;
  }

  /** What is on it now; stays as it is whatever is written later. */
  image(): FlashImage {
    return new Map(this.#entries);
  }

  /** Puts an old image back, as a careless restore does. */
  restore(image: FlashImage): void {
    this.#entries = new Map(image);
  }

  erase(): void {
    this.#entries.clear();
  }

  async read(entry: VaultEntry): Promise<Uint8Array | undefined> {
    return this.#entries.get(entry)?.slice();
  }

  async write(entry: VaultEntry, bytes: Uint8Array): Promise<void> {
    this.#demandWritable(entry);
    this.#entries.set(entry, this.#kept(bytes));
    this.#onWritten(bytes.length);
  }

  async remove(entry: VaultEntry): Promise<void> {
    if (!this.#entries.has(entry)) return;
    this.#demandWritable(entry);
    this.#entries.delete(entry);
  }

  /** A million appliances keep their last but one pair as well: what is there already is not kept twice. */
  #kept(bytes: Uint8Array): Uint8Array {
    for (const known of this.#entries.values()) {
      if (known.length === bytes.length && Buffer.compare(known, bytes) === 0) return known;
    }
    return bytes.slice();
  }

  #demandWritable(entry: VaultEntry): void {
    if (this.#fault === undefined) return;
    const why = this.#fault === 'full' ? 'ENOSPC' : 'EROFS';
    throw new LanyardError('vault-unwritable', { message: `${entry} could not be written: ${why}` });
  }
}
