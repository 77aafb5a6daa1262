import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { memoryVault } from '../../sdk/src/testing/memory-vault.ts';
import { nodeDisk } from '../../sdk/src/vault/disk.ts';
import type { Disk } from '../../sdk/src/vault/disk.ts';
import { fileVault } from '../../sdk/src/vault/file-vault.ts';
import { vaultContract } from './vault.contract.ts';

const directories: string[] = [];

afterAll(async () => {
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
});

vaultContract('a vault in files', async () => {
  const directory = join(await mkdtemp(join(tmpdir(), 'lanyard-vault-')), 'vault');
  directories.push(join(directory, '..'));
  let isBroken = false;
  const refuse = (): void => {
    if (isBroken) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  const disk: Disk = {
    ...nodeDisk,
    writeSynced: async (path, bytes) => {
      refuse();
      await nodeDisk.writeSynced(path, bytes);
    },
    remove: async (path) => {
      refuse();
      await nodeDisk.remove(path);
    },
  };
  return {
    vault: fileVault(directory, disk),
    reopen: () => fileVault(directory, disk),
    corrupt: async (entry) => {
      const file = join(directory, entry);
      const bytes = await readFile(file);
      await writeFile(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]));
    },
    breakWrites: (broken) => (isBroken = broken),
  };
});

vaultContract('a vault in memory', async () => {
  const vault = memoryVault();
  return {
    vault,
    reopen: () => vault,
    corrupt: async (entry) => vault.corrupt(entry),
    breakWrites: (broken) => vault.failWrites(broken),
  };
});
