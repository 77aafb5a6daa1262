/** What every vault must do, whatever it keeps things on. */
import { describe, expect, test } from 'vitest';
import type { Vault, VaultEntry } from '../../sdk/src/vault/vault.ts';

export interface VaultUnderTest {
  readonly vault: Vault;
  /** The same medium after a restart of the process. */
  readonly reopen: () => Vault;
  /** Damages one stored entry behind the vault's back. */
  readonly corrupt: (entry: VaultEntry) => Promise<void>;
  /** From now on every write to the medium fails, or works again. */
  readonly breakWrites: (isBroken: boolean) => void;
}

const ENTRIES: readonly VaultEntry[] = ['current', 'previous', 'pending'];

export function vaultContract(name: string, make: () => Promise<VaultUnderTest>): void {
  describe(`the contract of a vault: ${name}`, () => {
    test('finds nothing in a new vault, and nothing to remove', async () => {
      const { vault } = await make();
      for (const entry of ENTRIES) {
        expect(await vault.read(entry)).toBeUndefined();
        await vault.remove(entry);
      }
    });

    test('keeps each entry byte for byte, over a restart too', async () => {
      const { vault, reopen } = await make();
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await vault.write('current', all);
      await vault.write('previous', new Uint8Array());
      await vault.write('pending', Buffer.from('lanyard-vault 1\n\n'));
      for (const each of [vault, reopen()]) {
        expect(await each.read('current')).toEqual(all);
        expect(await each.read('previous')).toEqual(new Uint8Array());
        expect(Buffer.from((await each.read('pending'))!).toString()).toBe('lanyard-vault 1\n\n');
      }
    });

    test('replaces an entry whole, also by a shorter one', async () => {
      const { vault } = await make();
      await vault.write('current', new Uint8Array(5000).fill(1));
      await vault.write('current', new Uint8Array([2]));
      expect(await vault.read('current')).toEqual(new Uint8Array([2]));
    });

    test('removes one entry and leaves the others', async () => {
      const { vault, reopen } = await make();
      await vault.write('current', new Uint8Array([1]));
      await vault.write('pending', new Uint8Array([2]));
      await vault.remove('pending');
      expect(await vault.read('pending')).toBeUndefined();
      expect(await reopen().read('current')).toEqual(new Uint8Array([1]));
    });

    test('is not changed by what a caller does to its bytes afterwards', async () => {
      const { vault } = await make();
      const bytes = new Uint8Array([1, 2, 3]);
      const written = vault.write('current', bytes);
      bytes.fill(9);
      await written;
      (await vault.read('current'))!.fill(9);
      expect(await vault.read('current')).toEqual(new Uint8Array([1, 2, 3]));
    });

    test('carries out operations in the order in which they were asked for', async () => {
      const { vault } = await make();
      const operations = [1, 2, 3].map((byte) => vault.write('current', new Uint8Array([byte])));
      const read = vault.read('current');
      const removed = vault.remove('current');
      const after = vault.read('current');
      await Promise.all([...operations, removed]);
      expect(await read).toEqual(new Uint8Array([3]));
      expect(await after).toBeUndefined();
    });

    test('says once that an entry is corrupt, then finds nothing, and can write it anew', async () => {
      const { vault, corrupt } = await make();
      await vault.write('current', new Uint8Array([1, 2, 3]));
      await vault.write('previous', new Uint8Array([4]));
      await corrupt('current');
      await expect(vault.read('current')).rejects.toMatchObject({
        code: 'vault-corrupt',
        details: { entry: 'current' },
      });
      expect(await vault.read('current')).toBeUndefined();
      expect(await vault.read('previous')).toEqual(new Uint8Array([4]));
      await vault.write('current', new Uint8Array([5]));
      expect(await vault.read('current')).toEqual(new Uint8Array([5]));
    });

    test('keeps the old bytes when the medium refuses new ones, and goes on afterwards', async () => {
      const { vault, breakWrites } = await make();
      await vault.write('current', new Uint8Array([1]));
      breakWrites(true);
      await expect(vault.write('current', new Uint8Array([2]))).rejects.toMatchObject({ code: 'vault-unwritable' });
      await expect(vault.remove('current')).rejects.toMatchObject({ code: 'vault-unwritable' });
      expect(await vault.read('current')).toEqual(new Uint8Array([1]));
      breakWrites(false);
      await vault.write('current', new Uint8Array([3]));
      expect(await vault.read('current')).toEqual(new Uint8Array([3]));
    });
  });
}
